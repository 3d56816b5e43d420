/** The map on WebGL (sigma.js): discs or covers, titles, the edges to the ten nearest, and the trail. */
import { SigmaContainer, useRegisterEvents, useSigma } from '@react-sigma/core'
import Graph from 'graphology'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type Sigma from 'sigma'
import type { Settings } from 'sigma/settings'
import type { CameraState, NodeDisplayData } from 'sigma/types'
import { mix } from './colors'
import { CoverProgram } from './discs'
import { byPopularity, type Anime, type AnimeGraph } from './graph'
import { freeArea, Painter, readColors, type Place, type View } from './painter'
import { Cover, Dot, Facts } from './parts'

interface Props {
  graph: AnimeGraph
  selected: Anime | null
  trail: number[]
  hidden: ReadonlySet<number>
  /** The cluster whose row in the legend the pointer is on. */
  shownCluster: number | null
  dark: boolean
  onSelect(id: number): void
  /** WebGL was lost while the map was shown. */
  onLost(): void
}

/** Radius in pixels of the disc in place `rank` of `count` by popularity, at the whole map's view. */
function discRadius(rank: number, count: number): number {
  const spacing = (0.8 * Math.min(innerWidth, innerHeight)) / Math.sqrt(count)
  const largest = Math.min(18, Math.max(3, spacing * 0.36))
  const smallest = Math.min(7, Math.max(1.2, spacing * 0.14))
  return smallest + (largest - smallest) * (1 - rank / count) ** 2
}

function makeNodes(graph: AnimeGraph) {
  const nodes = new Graph()
  const order = byPopularity(graph.anime)
  // Later nodes are drawn over earlier ones: the popular ones come last.
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const { id, x, y } = order[rank]
    nodes.addNode(id, { x, y, size: discRadius(rank, order.length) })
  }
  return nodes
}

/** Moves the camera in so many milliseconds; at once for 0, and for who prefers that nothing moves. */
function move(sigma: Sigma, state: CameraState, duration: number) {
  if (duration === 0 || matchMedia('(prefers-reduced-motion: reduce)').matches) sigma.getCamera().setState(state)
  else void sigma.getCamera().animate(state, { duration, easing: 'cubicInOut' })
}

/** The camera's state with `place` in the middle of the free area. */
function centredOn(sigma: Sigma, place: { x: number; y: number }, ratio: number): CameraState {
  const centred = { x: place.x, y: place.y, angle: 0, ratio }
  const middle = sigma.viewportToFramedGraph(freeArea(sigma), { cameraState: centred })
  return { ...centred, x: 2 * place.x - middle.x, y: 2 * place.y - middle.y }
}

function showAll(sigma: Sigma, duration: number) {
  const free = freeArea(sigma)
  const { width, height } = sigma.getDimensions()
  move(sigma, centredOn(sigma, { x: 0.5, y: 0.5 }, Math.min(width, height) / Math.min(free.width, free.height)), duration)
}

/** Flies so that the title lies in the middle of the free area with most of its nearest around it. */
function flyTo(sigma: Sigma, graph: AnimeGraph, { id }: Anime, duration: number) {
  const target = sigma.getNodeDisplayData(id)!
  const distances = graph.neighbours.get(id)!
    .map((near) => sigma.getNodeDisplayData(near.id)!)
    .map((place) => Math.hypot(place.x - target.x, place.y - target.y))
    .sort((a, b) => a - b)
  const free = freeArea(sigma)
  const { width, height } = sigma.getDimensions()
  const share = Math.min(free.width, free.height) / Math.min(width, height)
  const reach = distances[Math.floor(distances.length * 0.7)] ?? 0.1
  const smallest = sigma.getSetting('minCameraRatio')! * 3
  const ratio = Math.min(0.7, Math.max(smallest, (reach * 2.6) / share))
  move(sigma, centredOn(sigma, target, ratio), duration)
}

function Controller({ graph, selected, trail, hidden, shownCluster, dark, onSelect, onLost, view }: Props & { view: View }) {
  const sigma = useSigma()
  const registerEvents = useRegisterEvents()
  const [hovered, setHovered] = useState<Anime | null>(null)
  const painter = useMemo(() => new Painter(sigma, graph, view), [sigma, graph, view])
  const allNodes = useMemo(() => sigma.getGraph().nodes(), [sigma])
  const repaint = useCallback(
    (nodes: string[] = allNodes) => sigma.refresh({ partialGraph: { nodes }, skipIndexation: true, schedule: true }),
    [sigma, allNodes],
  )

  useEffect(() => {
    // sigma would draw all discs once more at every frame and read a pixel back at every move of the pointer, which takes
    // longer than the picture itself; the method is private, but all its events of discs ask it and nothing else.
    Object.assign(sigma, { getNodeAtPosition: (point: { x: number; y: number }) => painter.discAt(point) })
    const draw = () => painter.draw()
    let timer = 0
    const addCovers = () => {
      const ids = painter.newCovers()
      if (ids.length === 0) return
      ids.forEach((id) => view.covers.add(id))
      repaint(ids.map(String))
    }
    const afterMove = () => {
      clearTimeout(timer)
      timer = window.setTimeout(addCovers, 200)
    }
    sigma.on('afterRender', draw)
    sigma.getCamera().on('updated', afterMove)
    sigma.on('resize', afterMove)
    const canvases = Object.values(sigma.getCanvases())
    canvases.forEach((canvas) => canvas.addEventListener('webglcontextlost', onLost))
    sigma.scheduleRender()
    afterMove()
    // Two frames on, the first picture is on screen and the page answers again.
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => performance.mark('interactive'))))
    return () => {
      clearTimeout(timer)
      sigma.off('afterRender', draw)
      sigma.off('resize', afterMove)
      sigma.getCamera().off('updated', afterMove)
      canvases.forEach((canvas) => canvas.removeEventListener('webglcontextlost', onLost))
    }
  }, [sigma, painter, repaint, view, onLost])

  useEffect(() => {
    const canHover = matchMedia('(hover: hover)').matches
    registerEvents({
      enterNode: ({ node }) => {
        sigma.getContainer().style.cursor = 'pointer'
        if (canHover) setHovered(graph.byId.get(Number(node)) ?? null)
      },
      leaveNode: () => {
        sigma.getContainer().style.cursor = ''
        setHovered(null)
      },
      clickNode: ({ node }) => {
        setHovered(null)
        onSelect(Number(node))
      },
    })
  }, [registerEvents, sigma, graph, onSelect])

  useEffect(() => {
    view.colors = readColors(dark)
    view.hidden = hidden
    view.shownCluster = shownCluster
    view.selected = selected?.id ?? null
    view.hovered = hovered?.id ?? null
    view.trail = trail
    const focus = hovered ?? selected
    view.near = new Set(focus ? [focus.id, ...graph.neighbours.get(focus.id)!.map(({ id }) => id)] : [])
    repaint()
  }, [view, graph, hidden, shownCluster, selected, hovered, trail, dark, repaint])

  const firstFlight = useRef(true)
  useEffect(() => {
    if (selected) flyTo(sigma, graph, selected, firstFlight.current ? 0 : 700)
    else if (firstFlight.current) showAll(sigma, 0)
    firstFlight.current = false
  }, [sigma, graph, selected])

  const camera = sigma.getCamera()
  const zoom = (factor: number) => move(sigma, sigma.getViewportZoomedState(freeArea(sigma), camera.ratio * factor), 200)
  const reset = () => showAll(sigma, 400)
  const aim = () => {
    view.underCross = painter.nearestTo(freeArea(sigma))
    sigma.scheduleRender()
  }
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = 0.08 * camera.ratio
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step],
    }
    if (event.key in moves) {
      const [x, y] = moves[event.key]
      camera.setState({ x: camera.x + x, y: camera.y + y })
      aim()
    } else if (event.key === '+' || event.key === '=') zoom(1 / 1.5)
    else if (event.key === '-') zoom(1.5)
    else if (event.key === '0') reset()
    else if (event.key === 'Enter' && view.underCross) onSelect(view.underCross.id)
    else return
    event.preventDefault()
  }

  return (
    <>
      <div
        className="map-keys" role="application" tabIndex={0} onKeyDown={onKeyDown}
        onBlur={() => { view.underCross = null; sigma.scheduleRender() }}
        aria-label={`Map of ${graph.anime.length} titles. Arrow keys move, plus and minus zoom, 0 shows everything, Enter opens the title at the cross. The list and the search show the same titles as text.`}
      />
      <div className="zoom-buttons">
        <button type="button" onClick={() => zoom(1 / 1.6)} aria-label="Zoom in">+</button>
        <button type="button" onClick={() => zoom(1.6)} aria-label="Zoom out">−</button>
        <button type="button" onClick={reset} aria-label="Show the whole map" title="Show the whole map">⤢</button>
      </div>
      {hovered && <HoverCard anime={hovered} place={painter.placeOf(hovered.id)} {...sigma.getDimensions()} />}
    </>
  )
}

function HoverCard({ anime, place, width, height }: { anime: Anime; place: Place; width: number; height: number }) {
  const right = place.x > width - 340
  const below = place.y < height / 2
  const style = {
    left: right ? undefined : place.x + place.radius + 14,
    right: right ? width - place.x + place.radius + 14 : undefined,
    top: below ? Math.max(12, place.y - 30) : undefined,
    bottom: below ? undefined : Math.max(12, height - place.y - 30),
  }
  return (
    <div className="hover-card" style={style}>
      <Cover anime={anime} width={64} />
      <div>
        <strong>{anime.title}</strong>
        {anime.english && <div>{anime.english}</div>}
        <Facts anime={anime} />
        <div className="cluster-line"><Dot cluster={anime.cluster} />{anime.cluster.name}</div>
      </div>
    </div>
  )
}

export default function MapView(props: Props) {
  const { graph } = props
  const view = useMemo<View>(() => ({
    colors: readColors(props.dark), hovered: null, selected: null, near: new Set(), trail: [],
    hidden: new Set(), shownCluster: null, covers: new Set(), underCross: null,
  }), [graph])
  const nodes = useMemo(() => makeNodes(graph), [graph])
  const settings = useMemo<Partial<Settings>>(() => ({
    // Titles are drawn by Painter: sigma's own labels are chosen cell by cell and may overlap.
    renderLabels: false,
    defaultNodeType: 'image',
    nodeProgramClasses: { image: CoverProgram },
    defaultDrawNodeHover: () => {},
    minCameraRatio: 0.3 / Math.sqrt(graph.anime.length),
    maxCameraRatio: 1.8,
    enableCameraRotation: false,
    stagePadding: Math.min(60, 0.06 * Math.min(innerWidth, innerHeight)),
    // Discs grow more slowly than distances, so zooming in separates them.
    zoomToSizeRatioFunction: (ratio) => ratio ** 0.7,
    nodeReducer: (key, data): Partial<NodeDisplayData> => {
      const anime = graph.byId.get(Number(key))!
      const inFocus = view.near.has(anime.id)
      const hidden = view.hidden.has(anime.cluster.id) && anime.id !== view.selected
      const faded = view.near.size > 0
        ? !inFocus && !view.trail.includes(anime.id)
        : view.shownCluster !== null && anime.cluster.id !== view.shownCluster
      const strength = view.hovered === null && view.shownCluster === null ? 0.72 : 0.85
      const color = anime.cluster.color[view.colors.theme]
      return {
        ...data, hidden,
        color: faded ? mix(color, view.colors.background, strength) : color,
        image: !faded && view.covers.has(anime.id) ? anime.picture : null,
      } as Partial<NodeDisplayData>
    },
  }), [graph, view])
  return (
    <SigmaContainer graph={nodes} settings={settings} className="map">
      <Controller {...props} view={view} />
    </SigmaContainer>
  )
}
