/** Measures which part of the map is free of header, legend and panel. */
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { UPRIGHT } from '../panels/media'
import type { Box, FreeArea } from './geometry'

/** A box wider than this share of the window lies below the map, not beside it. */
const WIDE = 0.8
/**
 * Least width and height of the free area in pixels: on a small screen legend and panel may cover all of it.
 */
const MIN_SIZE = 80

export interface Coverage {
  free: FreeArea
  covered: Box[]
}

const boxOf = (element: Element): Box => {
  const { left, right, top, bottom } = element.getBoundingClientRect()
  return { left, right, top, bottom }
}

function measure(stage: HTMLElement, header: HTMLElement, overlays: HTMLElement[]): Coverage {
  const { offsetWidth: stageWidth, offsetHeight: stageHeight } = stage
  const boxes = overlays.map(boxOf)
  const notes = [...document.querySelectorAll('.notices p')].map(boxOf)
  // On an upright phone, tools, search and notes lie at the bottom.
  boxes.push(...[...header.children].map(boxOf).filter(({ top }) => top > stageHeight / 2))
  if (UPRIGHT.matches) boxes.push(...notes.filter(({ top }) => top > stageHeight / 2))
  const top = boxOf(header).bottom
  let left = 0
  let right = stageWidth
  let bottom = stageHeight
  for (const box of boxes) {
    if (UPRIGHT.matches || box.right - box.left > stageWidth * WIDE) bottom = Math.min(bottom, box.top)
    else if (box.left > stageWidth / 2) right = box.left
    else left = box.right
  }
  const free = {
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    width: Math.max(MIN_SIZE, right - left),
    height: Math.max(MIN_SIZE, bottom - top),
    stage: { width: stageWidth, height: stageHeight },
  }
  return { free, covered: [...boxes, ...notes, ...[...header.children].map(boxOf)] }
}

/** Return references for the elements over the map, and the coverage once they are measured. */
export function useCoverage() {
  const stage = useRef<HTMLElement>(null)
  const header = useRef<HTMLElement>(null)
  const legend = useRef<HTMLElement>(null)
  const panel = useRef<HTMLElement>(null)
  const [coverage, setCoverage] = useState<Coverage | null>(null)
  const update = () => {
    const overlays = [legend.current, panel.current].filter((element) => element !== null)
    const now = measure(stage.current!, header.current!, overlays)
    setCoverage((before) => (JSON.stringify(before) === JSON.stringify(now) ? before : now))
  }
  // After every change of the page: any of them may move what lies over the map.
  useLayoutEffect(update)
  useEffect(() => {
    // A panel under a finger is measured when the finger lets go.
    const onSize = () => {
      if (!('dragging' in document.documentElement.dataset)) update()
    }
    const observer = new ResizeObserver(onSize)
    for (const overlay of [header.current, legend.current, panel.current])
      if (overlay) observer.observe(overlay)
    addEventListener('resize', update)
    return () => {
      observer.disconnect()
      removeEventListener('resize', update)
    }
  })
  return { stage, header, legend, panel, coverage }
}
