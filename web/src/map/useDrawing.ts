/** Draws what lies around the marks at every frame, and loads covers when the camera rests. */
import { useSigma } from '@react-sigma/core'
import { useCallback, useEffect, useMemo, useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import { Covers } from './covers'
import type { Marks } from './marks'
import { Painter } from './painter'
import type { View } from './view'

/** In ms without a movement of the camera. */
const REST = 200

/** Return a function that draws the marks again. */
export function useRepaint() {
  const sigma = useSigma()
  const all = useMemo(() => sigma.getGraph().nodes(), [sigma])
  return useCallback(
    () => void sigma.refresh({ partialGraph: { nodes: all }, skipIndexation: true, schedule: true }),
    [sigma, all],
  )
}

/** Call `onMove` whenever the camera moves. Return whether there is no title in sight. */
export function useDrawing(graph: AnimeGraph, view: View, marks: Marks, onMove: () => void): boolean {
  const sigma = useSigma()
  const [noneInSight, setNoneInSight] = useState(false)
  const painter = useMemo(() => new Painter(sigma, graph, view, marks), [sigma, graph, view, marks])
  const covers = useMemo(() => new Covers(sigma, view), [sigma, view])

  useEffect(() => {
    let timer = 0
    const draw = () => {
      const visible = [...marks.visible()]
      covers.draw(visible)
      painter.draw(visible)
    }
    const afterRest = () => {
      setNoneInSight(marks.noneInSight())
      covers.load([...marks.visible()])
    }
    const afterMove = () => {
      onMove()
      clearTimeout(timer)
      timer = window.setTimeout(afterRest, REST)
    }
    const camera = sigma.getCamera()
    covers.onAnswer = () => {
      covers.load([...marks.visible()])
      sigma.scheduleRender()
    }
    sigma.on('afterRender', draw)
    sigma.on('resize', afterMove)
    camera.on('updated', afterMove)
    sigma.scheduleRender()
    afterMove()
    return () => {
      clearTimeout(timer)
      covers.onAnswer = null
      sigma.off('afterRender', draw)
      sigma.off('resize', afterMove)
      camera.off('updated', afterMove)
    }
  }, [sigma, painter, marks, covers, onMove])

  useEffect(() => {
    // After two frames the first picture is on the screen, and the page answers again.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => setTimeout(() => performance.mark('interactive'))),
    )
  }, [])
  return noneInSight
}

const LOST = 'The browser took WebGL away, so the titles are shown as a list. Reload the page for the map.'

/** Call `onLost` when the browser takes WebGL away. */
export function useLostContext(onLost: (fault: string) => void) {
  const sigma = useSigma()
  useEffect(() => {
    const canvases = Object.values(sigma.getCanvases())
    const lost = () => onLost(LOST)
    for (const canvas of canvases) canvas.addEventListener('webglcontextlost', lost)
    return () => {
      for (const canvas of canvases) canvas.removeEventListener('webglcontextlost', lost)
    }
  }, [sigma, onLost])
}
