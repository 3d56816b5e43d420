/** What happens on the map: keyboard, pointer, zoom buttons; brings the view in line with the page. */
import { useSigma } from '@react-sigma/core'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Anime, AnimeGraph } from '../data/graph'
import type { Group } from '../data/search'
import { HoverCard } from './HoverCard'
import type { MapProps } from './MapView'
import { Marks } from './marks'
import { makePicture } from './picture'
import { useCamera } from './useCamera'
import { useDrawing, useLostContext, useRepaint } from './useDrawing'
import { usePointer } from './usePointer'
import { readColors, type View } from './view'

type Camera = ReturnType<typeof useCamera>

/** Return the titles that are not faded: the one in focus and its neighbours, else the group's. */
function litUp(graph: AnimeGraph, focus: Anime | null, group: Group | null): Set<number> {
  if (focus) return new Set([focus.id, ...graph.neighbours.get(focus.id)!.map(({ id }) => id)])
  return new Set(group?.anime.map(({ id }) => id))
}

/** Bring the view in line with the page, and draw it. */
function useView(
  view: View,
  props: MapProps,
  hovered: Anime | null,
  zoomButtons: React.RefObject<HTMLElement | null>,
) {
  const { graph, selected, group, trail, hiddenClusters, shownCluster, ownList, coloring } = props
  const { free, covered, dark } = props
  const repaint = useRepaint()
  useEffect(() => {
    const focus = hovered ?? selected
    Object.assign(view, {
      colors: readColors(dark),
      free,
      covered: [...covered, zoomButtons.current!.getBoundingClientRect()],
      hovered: hovered?.id ?? null,
      selected: selected?.id ?? null,
      near: litUp(graph, focus, group),
      trail,
      hiddenClusters,
      shownCluster,
      ownList,
      coloring,
    } satisfies Partial<View>)
    repaint()
  }, [
    view,
    graph,
    group,
    hiddenClusters,
    shownCluster,
    ownList,
    coloring,
    selected,
    hovered,
    trail,
    free,
    covered,
    dark,
    zoomButtons,
    repaint,
  ])
}

/** Give the page a function that makes a picture of the map. */
function usePicture(view: View, { picture, caption }: MapProps) {
  const sigma = useSigma()
  useEffect(() => {
    picture.current = () => makePicture(sigma, view.colors.background, view.colors.text, caption)
    return () => {
      picture.current = null
    }
  }, [sigma, view, picture, caption])
}

/** Return the title under the cross while the map has the keyboard. */
function useCross(view: View, marks: Marks) {
  const sigma = useSigma()
  const keys = useRef<HTMLDivElement>(null)
  const [underCross, setUnderCross] = useState<Anime | null>(null)
  const put = useCallback(
    (anime: Anime | null) => {
      view.underCross = anime
      setUnderCross(anime)
      sigma.scheduleRender()
    },
    [sigma, view],
  )
  const aim = useCallback(() => put(marks.nearestTo(view.free)), [put, marks, view])
  const onMove = useCallback(() => {
    if (document.activeElement === keys.current) aim()
  }, [aim])
  return { keys, underCross, aim, stopAiming: () => put(null), onMove }
}

/** Share of the map that an arrow key moves by. */
const STEP = 0.08
const KEY_ZOOM = 1.5
const BUTTON_ZOOM = 1.6
const KEYS_HELP =
  'Arrow keys move, plus and minus zoom, 0 shows everything, Enter opens the title at the cross. ' +
  'The list and the search have the same titles as text.'

/** Do what a key asks for; return whether it asks for anything. */
function onKey(key: string, { pan, zoom, reset }: Camera, open: () => void): boolean {
  const actions: Record<string, () => void> = {
    ArrowLeft: () => pan(-STEP, 0),
    ArrowRight: () => pan(STEP, 0),
    ArrowUp: () => pan(0, STEP),
    ArrowDown: () => pan(0, -STEP),
    '+': () => zoom(1 / KEY_ZOOM),
    '=': () => zoom(1 / KEY_ZOOM),
    '-': () => zoom(KEY_ZOOM),
    '0': reset,
    Enter: open,
  }
  if (!Object.hasOwn(actions, key)) return false
  actions[key]()
  return true
}

function ZoomButtons({ camera, ref }: { camera: Camera; ref: React.Ref<HTMLDivElement> }) {
  return (
    <div className="zoom-buttons" ref={ref}>
      <button type="button" onClick={() => camera.zoom(1 / BUTTON_ZOOM)} aria-label="Zoom in">
        +
      </button>
      <button type="button" onClick={() => camera.zoom(BUTTON_ZOOM)} aria-label="Zoom out">
        −
      </button>
      <button type="button" onClick={camera.reset} aria-label="Show the whole map" title="Show the whole map">
        ⤢
      </button>
    </div>
  )
}

export function Controller({ view, ...props }: MapProps & { view: View }) {
  const { graph, selected, group, free, onSelect, onLost } = props
  const sigma = useSigma()
  const zoomButtons = useRef<HTMLDivElement>(null)
  const marks = useMemo(() => new Marks(sigma, graph), [sigma, graph])
  const hovered = usePointer(marks, onSelect)
  const cross = useCross(view, marks)
  const noneInSight = useDrawing(graph, view, marks, cross.onMove)
  useLostContext(onLost)
  useView(view, props, hovered, zoomButtons)
  usePicture(view, props)
  const camera = useCamera(graph, selected, group, free)
  const open = () => {
    if (cross.underCross) onSelect(cross.underCross.id)
  }
  return (
    <>
      <div
        ref={cross.keys}
        className="map-keys"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the map answers to keys
        tabIndex={0}
        onKeyDown={(event) => {
          if (onKey(event.key, camera, open)) event.preventDefault()
        }}
        onFocus={cross.aim}
        onBlur={cross.stopAiming}
        aria-label={`Map of ${graph.anime.length} titles. ${KEYS_HELP}`}
      />
      <span className="visually-hidden" role="status">
        {cross.underCross?.title}
      </span>
      <ZoomButtons camera={camera} ref={zoomButtons} />
      {noneInSight && (
        <p className="none-in-sight">
          <button type="button" onClick={camera.reset}>
            No title is in sight here: show the whole map
          </button>
        </p>
      )}
      {hovered && (
        <HoverCard
          anime={hovered}
          mark={marks.of(hovered.id)}
          nearest={graph.neighbours.get(hovered.id)!.map(({ id }) => graph.byId.get(id)!)}
          near={graph.neighbours.get(hovered.id)!.map(({ id }) => marks.of(id))}
          free={free}
        />
      )}
    </>
  )
}
