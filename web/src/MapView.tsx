/** The map on WebGL (sigma.js): discs or covers, titles, the edges to the ten nearest, and the trail. */
import { SigmaContainer, useRegisterEvents, useSigma } from '@react-sigma/core'
import Graph from 'graphology'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type Sigma from 'sigma'
import type { Settings } from 'sigma/settings'
import type { CameraState, NodeDisplayData } from 'sigma/types'
import { mix } from './colors'
import { CoverProgram } from './discs'
import { type Anime, type AnimeGraph, byPopularity } from './graph'
import { type Area, freeArea, Painter, type Place, readColors, type View } from './painter'
import { Cover, Dot, Facts } from './parts'

interface Props {
  graph: AnimeGraph
  selected: Anime | null
  trail: number[]
  hidden: ReadonlySet<number>
  /** The cluster whose row in the legend the pointer is on. */
  shownCluster: number | null
  /** What lies over the map, as a text: another text, another free area. */
  covering: string
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
  if (duration === 0 || matchMedia('(prefers-reduced-motion: reduce)').matches)
    sigma.getCamera().setState(state)
  else void sigma.getCamera().animate(state, { duration, easing: 'cubicInOut' })
}

/** The camera's state with `place` (sigma's framed coordinates) in the middle of the free area. */
function centredOn(sigma: Sigma, place: { x: number; y: number }, ratio: number): CameraState {
  const centred = { x: place.x, y: place.y, angle: 0, ratio }
  const middle = sigma.viewportToFramedGraph(freeArea(sigma), { cameraState: centred })
  return { ...centred, x: 2 * place.x - middle.x, y: 2 * place.y - middle.y }
}

/** A nearest title that lies more than so many times as far off as the middle one is left out, else the others would become a point. */
const FAR_OFF = 6

/** The camera's state in which the places (framed coordinates) fill the free area; `smallest`: how far it may zoom in. */
function fitting(sigma: Sigma, places: { x: number; y: number }[], smallest: number): CameraState {
  const low = { x: Infinity, y: Infinity },
    high = { x: -Infinity, y: -Infinity }
  for (const { x, y } of places) {
    Object.assign(low, { x: Math.min(low.x, x), y: Math.min(low.y, y) })
    Object.assign(high, { x: Math.max(high.x, x), y: Math.max(high.y, y) })
  }
  const middle = { x: (low.x + high.x) / 2, y: (low.y + high.y) / 2 }
  // Pixels at ratio 1; at any other they are that many times fewer.
  const cameraState = { ...middle, angle: 0, ratio: 1 }
  const from = sigma.framedGraphToViewport(low, { cameraState }),
    to = sigma.framedGraphToViewport(high, { cameraState })
  const free = freeArea(sigma)
  // At the sides there is room for half a name, above and below for a whole one.
  const width = free.width - 2 * Math.min(64, 0.1 * free.width),
    height = free.height - 2 * Math.min(32, 0.1 * free.height)
  const ratio = Math.max((to.x - from.x) / width, (from.y - to.y) / height, smallest)
  return centredOn(sigma, middle, ratio)
}

const placeOf = (sigma: Sigma, id: number | string) => sigma.getNodeDisplayData(id)!

/** The whole map. */
const all = (sigma: Sigma) =>
  fitting(
    sigma,
    sigma.getGraph().mapNodes((key) => placeOf(sigma, key)),
    0.2,
  )

/** The title and its ten nearest. */
function neighbourhood(sigma: Sigma, graph: AnimeGraph, { id }: Anime): CameraState {
  const target = placeOf(sigma, id)
  const distance = (other: { x: number; y: number }) => Math.hypot(other.x - target.x, other.y - target.y)
  const nearest = graph.neighbours
    .get(id)!
    .map((near) => placeOf(sigma, near.id))
    .sort((a, b) => distance(a) - distance(b))
  const farthest = nearest.length > 0 ? FAR_OFF * distance(nearest[nearest.length >> 1]) : 0
  return fitting(
    sigma,
    [target, ...nearest.filter((other) => distance(other) <= farthest)],
    sigma.getSetting('minCameraRatio')! * 3,
  )
}

/** What the camera was last brought in line with. */
interface Frame {
  free: Area
  viewportDimensions: { width: number; height: number }
  /** The camera's state that shows all titles in it. */
  all: CameraState
}

const frameOf = (sigma: Sigma): Frame => ({
  free: freeArea(sigma),
  viewportDimensions: sigma.getDimensions(),
  all: all(sigma),
})

/** The camera's state in which the free area shows what it showed before it became another. */
function following(sigma: Sigma, before: Frame, now: Frame): CameraState {
  const { x, y, ratio } = sigma.getCamera()
  if (x === before.all.x && y === before.all.y && ratio === before.all.ratio) return now.all
  const smallerSide = ({ free, viewportDimensions: { width, height } }: Frame) =>
    Math.min(free.width, free.height) / Math.min(width, height)
  const [was, is] = [before.viewportDimensions, now.viewportDimensions]
  // sigma takes the point as one of the present view, whatever dimensions it is given.
  const point = { x: (before.free.x / was.width) * is.width, y: (before.free.y / was.height) * is.height }
  const middle = sigma.viewportToFramedGraph(point, { viewportDimensions: was })
  return centredOn(sigma, middle, (ratio * smallerSide(before)) / smallerSide(now))
}

function Controller({
  graph,
  selected,
  trail,
  hidden,
  shownCluster,
  covering,
  dark,
  onSelect,
  onLost,
  view,
}: Props & { view: View }) {
  const sigma = useSigma()
  const registerEvents = useRegisterEvents()
  const [hovered, setHovered] = useState<Anime | null>(null)
  const camera = sigma.getCamera()
  const [lost, setLost] = useState(false)
  const [aimed, setAimed] = useState<Anime | null>(null)
  const keys = useRef<HTMLDivElement>(null)
  const painter = useMemo(() => new Painter(sigma, graph, view), [sigma, graph, view])
  const allNodes = useMemo(() => sigma.getGraph().nodes(), [sigma])
  const repaint = useCallback(
    (nodes: string[] = allNodes) =>
      sigma.refresh({ partialGraph: { nodes }, skipIndexation: true, schedule: true }),
    [sigma, allNodes],
  )

  const aim = useCallback(() => {
    view.underCross = painter.nearestTo(freeArea(sigma))
    setAimed(view.underCross)
    sigma.scheduleRender()
  }, [sigma, painter, view])

  useEffect(() => {
    // sigma would draw all discs once more at every frame and read a pixel back at every move of the pointer, which takes
    // longer than the picture itself; the method is private, but all its events of discs ask it and nothing else.
    Object.assign(sigma, { getNodeAtPosition: (point: { x: number; y: number }) => painter.discAt(point) })
    const draw = () => painter.draw()
    let timer = 0
    const afterRest = () => {
      setLost(painter.lost())
      const ids = painter.changeCovers()
      if (ids.length > 0) repaint(ids.map(String))
    }
    const afterMove = () => {
      if (document.activeElement === keys.current) aim()
      clearTimeout(timer)
      timer = window.setTimeout(afterRest, 200)
    }
    sigma.on('afterRender', draw)
    sigma.getCamera().on('updated', afterMove)
    sigma.on('resize', afterMove)
    const canvases = Object.values(sigma.getCanvases())
    canvases.forEach((canvas) => canvas.addEventListener('webglcontextlost', onLost))
    sigma.scheduleRender()
    afterMove()
    // Two frames on, the first picture is on screen and the page answers again.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => setTimeout(() => performance.mark('interactive'))),
    )
    return () => {
      clearTimeout(timer)
      sigma.off('afterRender', draw)
      sigma.off('resize', afterMove)
      sigma.getCamera().off('updated', afterMove)
      canvases.forEach((canvas) => canvas.removeEventListener('webglcontextlost', onLost))
    }
  }, [sigma, painter, repaint, aim, onLost])

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

  const shown = useRef<{ frame: Frame; selected: Anime | null }>(null)
  useEffect(() => {
    const adjust = () => {
      const before = shown.current
      const frame = frameOf(sigma)
      shown.current = { frame, selected }
      if (selected && (before?.selected !== selected || camera.isAnimated()))
        move(sigma, neighbourhood(sigma, graph, selected), before ? 700 : 0)
      else if (!before) move(sigma, frame.all, 0)
      else if (JSON.stringify(before.frame) !== JSON.stringify(frame))
        move(sigma, following(sigma, before.frame, frame), 300)
    }
    adjust()
    sigma.on('resize', adjust)
    return () => void sigma.off('resize', adjust)
  }, [sigma, camera, graph, selected, covering])

  const zoom = (factor: number) =>
    move(sigma, sigma.getViewportZoomedState(freeArea(sigma), camera.ratio * factor), 200)
  const reset = () => move(sigma, all(sigma), 400)
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = 0.08 * camera.ratio
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    }
    if (event.key in moves) {
      const [x, y] = moves[event.key]
      camera.setState({ x: camera.x + x, y: camera.y + y })
    } else if (event.key === '+' || event.key === '=') zoom(1 / 1.5)
    else if (event.key === '-') zoom(1.5)
    else if (event.key === '0') reset()
    else if (event.key === 'Enter' && aimed) onSelect(aimed.id)
    else return
    event.preventDefault()
  }

  return (
    <>
      <div
        ref={keys}
        className="map-keys"
        role="application"
        tabIndex={0}
        onKeyDown={onKeyDown}
        onFocus={aim}
        onBlur={() => {
          setAimed(null)
          view.underCross = null
          sigma.scheduleRender()
        }}
        aria-label={`Map of ${graph.anime.length} titles. Arrow keys move, plus and minus zoom, 0 shows everything, Enter opens the title at the cross. The list and the search show the same titles as text.`}
      />
      <span className="visually-hidden" role="status">
        {aimed?.title}
      </span>
      <div className="zoom-buttons">
        <button type="button" onClick={() => zoom(1 / 1.6)} aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => zoom(1.6)} aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={reset} aria-label="Show the whole map" title="Show the whole map">
          ⤢
        </button>
      </div>
      {lost && (
        <p className="lost">
          <button type="button" onClick={reset}>
            No title is in sight here: show the whole map
          </button>
        </p>
      )}
      {hovered && (
        <HoverCard
          anime={hovered}
          place={painter.placeOf(hovered.id)}
          {...sigma.getDimensions()}
          near={graph.neighbours.get(hovered.id)!.map(({ id }) => painter.placeOf(id))}
        />
      )}
    </>
  )
}

function HoverCard({
  anime,
  place,
  near,
  width,
  height,
}: {
  anime: Anime
  place: Place
  near: Place[]
  width: number
  height: number
}) {
  const reach = 340
  const nearOn = (side: number) =>
    near.filter(
      ({ x, y }) => (x - place.x) * side > 0 && (x - place.x) * side < reach && Math.abs(y - place.y) < 120,
    ).length
  const right = place.x > width - reach || (place.x > reach && nearOn(1) > nearOn(-1))
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
        <div className="cluster-line">
          <Dot cluster={anime.cluster} />
          {anime.cluster.name}
        </div>
      </div>
    </div>
  )
}

export default function MapView(props: Props) {
  const { graph } = props
  const view = useMemo<View>(
    () => ({
      colors: readColors(props.dark),
      hovered: null,
      selected: null,
      near: new Set(),
      trail: [],
      hidden: new Set(),
      shownCluster: null,
      covers: new Set(),
      underCross: null,
    }),
    [graph],
  )
  const nodes = useMemo(() => makeNodes(graph), [graph])
  const settings = useMemo<Partial<Settings>>(
    () => ({
      // Titles are drawn by Painter: sigma's own labels are chosen cell by cell and may overlap.
      renderLabels: false,
      defaultNodeType: 'image',
      nodeProgramClasses: { image: CoverProgram },
      defaultDrawNodeHover: () => {},
      minCameraRatio: 0.3 / Math.sqrt(graph.anime.length),
      maxCameraRatio: 4,
      enableCameraRotation: false,
      stagePadding: Math.min(60, 0.06 * Math.min(innerWidth, innerHeight)),
      // Discs grow more slowly than distances, so zooming in separates them.
      zoomToSizeRatioFunction: (ratio) => ratio ** 0.7,
      nodeReducer: (key, data): Partial<NodeDisplayData> => {
        const anime = graph.byId.get(Number(key))!
        const inFocus = view.near.has(anime.id)
        const hidden = view.hidden.has(anime.cluster.id) && anime.id !== view.selected
        const faded =
          view.near.size > 0
            ? !inFocus && !view.trail.includes(anime.id)
            : view.shownCluster !== null && anime.cluster.id !== view.shownCluster
        const strength = view.hovered === null && view.shownCluster === null ? 0.72 : 0.85
        const color = anime.cluster.color[view.colors.theme]
        return {
          ...data,
          hidden,
          color: faded ? mix(color, view.colors.background, strength) : color,
          image: !faded && view.covers.has(anime.id) ? anime.picture : null,
        } as Partial<NodeDisplayData>
      },
    }),
    [graph, view],
  )
  return (
    <SigmaContainer graph={nodes} settings={settings} className="map">
      <Controller {...props} view={view} />
    </SigmaContainer>
  )
}
