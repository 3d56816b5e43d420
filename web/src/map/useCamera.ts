/** Keeps the camera on what the user looks at, while panels come and go and the window changes its size. */
import { useSigma } from '@react-sigma/core'
import { useEffect, useRef } from 'react'
import type { CameraState } from 'sigma/types'
import type { Anime, AnimeGraph } from '../graph'
import { animeAddress, groupAddress } from '../route'
import type { Group } from '../search'
import { following, move, showingAll, showingNeighbours, showingTitles } from './camera'
import type { FreeArea } from './geometry'

const FLIGHT = 700
const ADJUSTMENT = 300
const ZOOM = 200
const RESET = 400

export function useCamera(graph: AnimeGraph, selected: Anime | null, group: Group | null, free: FreeArea) {
  const sigma = useSigma()
  const camera = sigma.getCamera()
  /** For which free area and titles the camera was last set, and the state that shows all titles there. */
  const last = useRef<{ free: FreeArea; shown: string | null; all: CameraState }>(null)
  /** When it was last sent to something new. */
  const sent = useRef(Number.NEGATIVE_INFINITY)

  useEffect(() => {
    const adjust = () => {
      const { width, height } = sigma.getDimensions()
      // Either sigma or the free area has not the window's new size yet; the second of them calls again.
      if (width !== free.stage.width || height !== free.stage.height) return
      const before = last.current
      const all = showingAll(sigma, free)
      const shown = selected ? animeAddress(selected.id) : group && groupAddress(group)
      last.current = { free, shown, all }
      const isNew = before?.shown !== shown
      const showsAll =
        before && camera.x === before.all.x && camera.y === before.all.y && camera.ratio === before.all.ratio
      if (isNew) sent.current = performance.now()
      // What opens a title also moves panels: until they rest, aim again.
      if (shown && performance.now() - sent.current < FLIGHT) {
        const state = selected
          ? showingNeighbours(sigma, free, graph, selected)
          : showingTitles(sigma, free, group!.anime)
        move(sigma, state, before ? FLIGHT : 0)
      } else if (!before) move(sigma, all, 0)
      else if (JSON.stringify(before.free) !== JSON.stringify(free))
        move(sigma, showsAll ? all : following(sigma, before.free, free), ADJUSTMENT)
    }
    adjust()
    sigma.on('resize', adjust)
    return () => void sigma.off('resize', adjust)
  }, [sigma, camera, graph, selected, group, free])

  return {
    zoom: (factor: number) => move(sigma, sigma.getViewportZoomedState(free, camera.ratio * factor), ZOOM),
    reset: () => move(sigma, showingAll(sigma, free), RESET),
    /** Move by shares of the map's smaller side. */
    pan: (x: number, y: number) =>
      void camera.setState({ x: camera.x + x * camera.ratio, y: camera.y + y * camera.ratio }),
  }
}
