/** Hovering and clicking on marks. */
import { useRegisterEvents, useSigma } from '@react-sigma/core'
import { useEffect, useState } from 'react'
import type { Anime } from '../data/graph'
import type { Point } from './geometry'
import type { Marks } from './marks'

/**
 * Return the title under the pointer. A click calls `onSelect`.
 *
 * sigma's own events of nodes are not used: they need every mark drawn a second time, at every frame.
 */
export function usePointer(marks: Marks, onSelect: (id: number) => void): Anime | null {
  const sigma = useSigma()
  const registerEvents = useRegisterEvents()
  const [hovered, setHovered] = useState<Anime | null>(null)
  useEffect(() => {
    const canHover = matchMedia('(hover: hover)').matches
    const container = sigma.getContainer()
    // sigma's own listener reads a pixel back at every move, which makes the page wait for the picture.
    sigma.getMouseCaptor().removeAllListeners('mousemove')
    const point = (at: Point | null) => {
      const anime = at && marks.at(at)
      container.style.cursor = anime ? 'pointer' : ''
      setHovered(canHover ? anime : null)
    }
    registerEvents({
      moveBody: ({ event }) => {
        const { target, buttons } = event.original as MouseEvent
        // Nothing is hovered while the map is dragged.
        point(container.contains(target as Node) && buttons === 0 ? event : null)
      },
      leaveStage: () => point(null),
      clickStage: ({ event }) => {
        const anime = marks.at(event)
        setHovered(null)
        if (anime) onSelect(anime.id)
      },
    })
  }, [registerEvents, sigma, marks, onSelect])
  return hovered
}
