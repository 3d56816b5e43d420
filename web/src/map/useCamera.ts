/** Keeps the camera on what the user looks at, while panels come and go and the window changes its size. */
import { useSigma } from '@react-sigma/core'
import { useCallback, useEffect, useRef } from 'react'
import type { CameraState } from 'sigma/types'
import type { Anime, AnimeGraph } from '../data/graph'
import { animeAddress, groupAddress } from '../data/route'
import type { Group } from '../data/search'
import { following, move, showingAll, showingNeighbours, showingTitles } from './camera'
import type { FreeArea } from './geometry'

const FLIGHT = 700
const ADJUSTMENT = 300
const ZOOM = 200
const RESET = 400

/** What the camera was last sent to show: the open title or group, the whole map, or a certain part of it. */
type Aim = 'opened' | 'all' | 'part'

interface Sent {
  aim: Aim
  state: CameraState
  /** Whether the camera is still on its way. */
  flying: boolean
}

const isSame = (a: CameraState, b: CameraState) => a.x === b.x && a.y === b.y && a.ratio === b.ratio

export function useCamera(graph: AnimeGraph, selected: Anime | null, group: Group | null, free: FreeArea) {
  const sigma = useSigma()
  const camera = sigma.getCamera()
  const sent = useRef<Sent>(null)
  /** For which free area and titles the camera was last set. */
  const last = useRef<{ free: FreeArea; opened: string | null }>(null)

  const send = useCallback(
    async (aim: Aim, state: CameraState, duration: number) => {
      const now = { aim, state: { ...state, ratio: camera.getBoundedRatio(state.ratio) }, flying: true }
      sent.current = now
      await move(sigma, now.state, duration)
      now.flying = false
    },
    [sigma, camera],
  )

  useEffect(() => {
    const adjust = () => {
      const { width, height } = sigma.getDimensions()
      // Either sigma or the free area has not the window's new size yet; the second of them calls again.
      if (width !== free.stage.width || height !== free.stage.height) return
      const before = last.current
      const opened = selected ? animeAddress(selected.id) : group && groupAddress(group)
      last.current = { free, opened }
      const isNew = before?.opened !== opened
      if (before && !isNew && JSON.stringify(before.free) === JSON.stringify(free)) return
      // Where the camera is, or will be; and whether the user has not moved it since it was sent there.
      const at = sent.current?.flying ? sent.current.state : camera.getState()
      const aim = sent.current && isSame(at, sent.current.state) ? sent.current.aim : 'part'
      // What opens a title also moves panels, sooner or later: until the user moves the map, aim again.
      if (opened && (isNew || aim === 'opened')) {
        const state = selected
          ? showingNeighbours(sigma, free, graph, selected)
          : showingTitles(sigma, free, group!.anime)
        void send('opened', state, before ? FLIGHT : 0)
      } else if (!before || aim === 'all') void send('all', showingAll(sigma, free), before ? ADJUSTMENT : 0)
      else void send('part', following(sigma, at, before.free, free), ADJUSTMENT)
    }
    adjust()
    sigma.on('resize', adjust)
    return () => void sigma.off('resize', adjust)
  }, [sigma, camera, graph, selected, group, free, send])

  return {
    zoom: (factor: number) => {
      const { ratio } = sent.current?.flying ? sent.current.state : camera
      void send('part', sigma.getViewportZoomedState(free, ratio * factor), ZOOM)
    },
    reset: () => void send('all', showingAll(sigma, free), RESET),
    /** Move by shares of the map's smaller side. */
    pan: (x: number, y: number) =>
      void camera.setState({ x: camera.x + x * camera.ratio, y: camera.y + y * camera.ratio }),
  }
}
