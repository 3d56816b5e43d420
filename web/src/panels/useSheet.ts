/** On an upright phone the panel comes from below; a finger drags its head to one of three heights. */
import { useEffect, useRef } from 'react'
import { UPRIGHT } from './media'

/** Shares of the window's height. */
const HEIGHTS = [0.24, 0.54, 0.86]
/** Pixels a finger moves before it drags. */
const SLOP = 6

const root = document.documentElement

const put = (height: number) => root.style.setProperty('--sheet', `${(100 * height).toFixed(1)}%`)

/** Return the height of the panel as a share of the window. */
const heightOf = (panel: Element) => panel.getBoundingClientRect().height / innerHeight

const nearest = (height: number) =>
  HEIGHTS.reduce((best, other) => (Math.abs(other - height) < Math.abs(best - height) ? other : best))

/** Return the events of the head, and a function that changes to the next height, for keyboard and taps. */
export function useSheet() {
  const drag = useRef<{ y: number; height: number; moved: boolean } | null>(null)
  useEffect(
    () => () => {
      // A panel may go while it is dragged.
      delete root.dataset.dragging
    },
    [],
  )
  const onPointerDown = ({ currentTarget, clientY, target }: React.PointerEvent) => {
    if (!UPRIGHT.matches || (target as Element).closest('.close')) return
    drag.current = { y: clientY, height: heightOf(currentTarget.closest('.panel')!), moved: false }
  }
  const onPointerMove = ({ clientY, currentTarget, pointerId }: React.PointerEvent) => {
    if (!drag.current) return
    const up = drag.current.y - clientY
    if (!drag.current.moved && Math.abs(up) < SLOP) return
    if (!drag.current.moved) currentTarget.setPointerCapture(pointerId)
    drag.current.moved = true
    root.dataset.dragging = ''
    const [least, , most] = HEIGHTS
    put(Math.max(least / 2, Math.min(drag.current.height + up / innerHeight, most)))
  }
  const onPointerUp = ({ currentTarget }: React.PointerEvent) => {
    if (drag.current?.moved) {
      delete root.dataset.dragging
      put(nearest(heightOf(currentTarget.closest('.panel')!)))
    }
    drag.current = null
  }
  const step = ({ currentTarget }: React.MouseEvent) => {
    const now = HEIGHTS.indexOf(nearest(heightOf(currentTarget.closest('.panel')!)))
    put(HEIGHTS[(now + 1) % HEIGHTS.length])
  }
  return { head: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: onPointerUp }, step }
}
