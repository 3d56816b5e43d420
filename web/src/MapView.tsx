/** The map on WebGL (sigma.js): discs or covers, titles, the edges to the ten nearest, and the trail. */
import { SigmaContainer, useRegisterEvents, useSigma } from '@react-sigma/core'
import { createNodeImageProgram } from '@sigma/node-image'
import Graph from 'graphology'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type Sigma from 'sigma'
import type { InstancedProgramDefinition, NodeProgram, ProgramInfo } from 'sigma/rendering'
import type { Settings } from 'sigma/settings'
import type { NodeDisplayData, RenderParams } from 'sigma/types'
import { mix, type ThemeColor } from './colors'
import { byPopularity, type Anime, type AnimeGraph } from './graph'
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

interface Colors {
  theme: keyof ThemeColor
  background: string
  text: string
  accent: string
}

/** What the drawing depends on besides the graph and the camera; changed in place, since sigma reads it at every frame. */
interface View {
  colors: Colors
  hovered: number | null
  selected: number | null
  /** The title in focus and its ten nearest; empty when nothing is in focus. */
  near: Set<number>
  trail: number[]
  hidden: ReadonlySet<number>
  shownCluster: number | null
  covers: Set<number>
  /** The title that Enter would open, while the map has the keyboard. */
  underCross: Anime | null
}

const COVER_PIXELS = 96
/** Radius in pixels from which on a disc is large enough to show a cover. */
const COVER_RADIUS = 11
/** Covers are never let go of by the texture, so their number is bounded: 2,000 take some 75 MB. */
const MOST_COVERS = 2000
const TITLE_FONT = '500 12px system-ui, sans-serif'
const FOCUS_FONT = '700 14px system-ui, sans-serif'
const CLUSTER_FONT = '700 15px system-ui, sans-serif'
const LONGEST_TITLE = 34

/** What the library's class is; the type that it declares leaves out all that it inherits. */
declare class LibraryProgram extends NodeProgram {
  getDefinition(): InstancedProgramDefinition
  processVisibleItem(nodeIndex: number, start: number, data: NodeDisplayData): void
  setUniforms(params: RenderParams, program: ProgramInfo): void
}

const RoundImageProgram = createNodeImageProgram({
  size: { mode: 'max', value: COVER_PIXELS },
  maxTextureSize: 2048,
  padding: 0.05,
  debounceTimeout: 150,
  keepWithinCircle: true,
}) as unknown as typeof LibraryProgram

/** Replaces `part` of a shader, and fails at once should another version of the library be written differently. */
function replaced(shader: string, part: string, by: string): string {
  if (!shader.includes(part)) throw new Error(`the shader of @sigma/node-image has no longer ${part}`)
  return shader.replace(part, by)
}

/**
 * The library's discs, with three differences. Covers are cut round, so that the disc's colour stays as a ring around them.
 * A dark rim parts discs that lie on each other. And the three corners of every disc are stored one after the other instead
 * of as an instance: a WebGL that runs on the processor draws instances one by one, which takes ten times as long.
 */
class CoverProgram extends RoundImageProgram {
  constructor(gl: WebGLRenderingContext, _pickingBuffer: WebGLFramebuffer | null, renderer: Sigma) {
    // Without a buffer for picking, which would draw every disc a second time: Painter.discAt finds them.
    super(gl, null, renderer)
  }

  getDefinition() {
    const { CONSTANT_ATTRIBUTES, CONSTANT_DATA: _angles, ...definition } = super.getDefinition()
    const round = replaced(
      definition.FRAGMENT_SHADER_SOURCE,
      'abs(diffVector.x) > v_radius / paddingRatio || abs(diffVector.y) > v_radius / paddingRatio',
      'dist > v_radius / paddingRatio',
    )
    const rim = replaced(round, 'if (dist < v_radius - border) {', `
    if (v_radius > 4.0 * border) color.rgb *= mix(1.0, 0.75, smoothstep(v_radius - 2.2 * border, v_radius - border, dist));
    if (dist < v_radius - border) {`)
    const ATTRIBUTES = [...definition.ATTRIBUTES, ...CONSTANT_ATTRIBUTES]
    return { ...definition, FRAGMENT_SHADER_SOURCE: rim, ATTRIBUTES } as unknown as InstancedProgramDefinition
  }

  processVisibleItem(nodeIndex: number, start: number, data: NodeDisplayData) {
    for (let corner = 0; corner < 3; corner++) {
      const next = start + (corner + 1) * this.ATTRIBUTES_ITEMS_COUNT
      super.processVisibleItem(nodeIndex, next - this.ATTRIBUTES_ITEMS_COUNT, data)
      this.array[next - 1] = (corner * 2 * Math.PI) / 3
    }
  }
}

function readColors(dark: boolean): Colors {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return {
    theme: dark ? 'dark' : 'light',
    background: read('--background'), text: read('--text'), accent: read('--accent'),
  }
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

const shorten = (title: string) =>
  title.length > LONGEST_TITLE ? title.slice(0, LONGEST_TITLE - 1).trimEnd() + '…' : title

interface Place {
  x: number
  y: number
  radius: number
}

/** The part of the map that neither panel nor search field covers, in pixels of the map. */
function freeArea(sigma: Sigma) {
  const { width, height } = sigma.getDimensions()
  const panel = document.querySelector('.panel')?.getBoundingClientRect()
  if (!panel) return { x: width / 2, y: height / 2, width, height }
  const besides = panel.width < width * 0.8
  const free = besides ? { right: panel.left, bottom: height } : { right: width, bottom: panel.top }
  const top = besides ? 0 : 100
  return { x: free.right / 2, y: (top + free.bottom) / 2, width: free.right, height: free.bottom - top }
}

class Painter {
  private widths = new Map<string, number>()
  private clusterCentres: { name: string; id: number; color: ThemeColor; x: number; y: number }[] = []
  readonly order: Anime[]

  constructor(private sigma: Sigma, private graph: AnimeGraph, private view: View) {
    this.order = byPopularity(graph.anime)
    this.findClusterCentres()
  }

  private findClusterCentres() {
    const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]
    for (const { id, name, color } of this.graph.clusters) {
      const places = this.graph.anime.filter((anime) => anime.cluster.id === id)
        .map((anime) => this.sigma.getNodeDisplayData(anime.id)!)
      this.clusterCentres.push({ id, name, color, x: middle(places.map((p) => p.x)), y: middle(places.map((p) => p.y)) })
    }
  }

  /** A function from sigma's framed coordinates to pixels; the camera is never rotated, so two factors are enough. */
  private projection() {
    const origin = this.sigma.framedGraphToViewport({ x: 0, y: 0 })
    const unit = this.sigma.framedGraphToViewport({ x: 1, y: 1 })
    return (place: { x: number; y: number }) => ({
      x: origin.x + place.x * (unit.x - origin.x),
      y: origin.y + place.y * (unit.y - origin.y),
    })
  }

  /** Titles on screen, the most popular first. */
  private *visible(): Generator<{ anime: Anime; place: Place }> {
    const { width, height } = this.sigma.getDimensions()
    const project = this.projection()
    const scale = this.sigma.scaleSize(1)
    for (const anime of this.order) {
      const data = this.sigma.getNodeDisplayData(anime.id)!
      if (data.hidden) continue
      const { x, y } = project(data)
      const radius = data.size * scale
      if (x < -radius || x > width + radius || y < -radius || y > height + radius) continue
      yield { anime, place: { x, y, radius } }
    }
  }

  placeOf(id: number): Place {
    const data = this.sigma.getNodeDisplayData(id)!
    return { ...this.sigma.framedGraphToViewport(data), radius: this.sigma.scaleSize(data.size) }
  }

  /** Width in pixels; `font` is what the context has, handed over since asking the context for it takes long. */
  private width(context: CanvasRenderingContext2D, font: string, text: string): number {
    const key = font + text
    let width = this.widths.get(key)
    if (width === undefined) this.widths.set(key, (width = context.measureText(text).width))
    return width
  }

  /** Draws under the discs: lines to the ten nearest, the thicker the more similar, and the trail with its direction. */
  private drawLinks() {
    const { sigma, view, graph } = this
    // sigma clears this canvas, which lies under the discs, at every frame; the graph has no edges with labels to draw on it.
    const context = sigma.getCanvases().edgeLabels.getContext('2d')!
    const line = (from: Place, to: Place, color: string, thickness: number) => {
      context.beginPath()
      context.moveTo(from.x, from.y)
      context.lineTo(to.x, to.y)
      context.strokeStyle = context.fillStyle = color
      context.lineWidth = thickness
      context.stroke()
    }
    const focus = view.hovered ?? view.selected
    if (focus !== null) {
      const from = this.placeOf(focus)
      for (const { id, similarity } of graph.neighbours.get(focus)!) {
        if (sigma.getNodeDisplayData(id)!.hidden) continue
        line(from, this.placeOf(id), mix(view.colors.background, view.colors.text, 0.4), 0.8 + 2.2 * Math.max(0, similarity))
      }
    }
    for (let k = 1; k < view.trail.length; k++) {
      const from = this.placeOf(view.trail[k - 1]), to = this.placeOf(view.trail[k])
      line(from, to, view.colors.accent, 3)
      const length = Math.hypot(to.x - from.x, to.y - from.y)
      if (length < 40) continue
      const [x, y] = [(to.x - from.x) / length, (to.y - from.y) / length]
      const tip = { x: from.x + x * (length / 2 + 8), y: from.y + y * (length / 2 + 8) }
      context.beginPath()
      context.moveTo(tip.x, tip.y)
      context.lineTo(tip.x - 15 * x - 7 * y, tip.y - 15 * y + 7 * x)
      context.lineTo(tip.x - 15 * x + 7 * y, tip.y - 15 * y - 7 * x)
      context.fill()
    }
  }

  /** Draws over the discs: names of clusters, then titles from the most popular on, none over another. */
  draw() {
    this.drawLinks()
    const { sigma, view } = this
    const context = sigma.getCanvases().labels.getContext('2d')!
    const { width, height } = sigma.getDimensions()
    const taken: { left: number; right: number; top: number; bottom: number }[] = []
    let font = ''
    const useFont = (name: string) => { context.font = font = name }
    context.textAlign = 'center'
    context.lineJoin = 'round'
    context.strokeStyle = view.colors.background

    /** True if there was room; `margin` in pixels to the next text. */
    const write = (text: string, x: number, y: number, lineHeight: number, color: string, margin: number) => {
      const half = this.width(context, font, text) / 2
      const box = { left: x - half - margin, right: x + half + margin, top: y - lineHeight - margin / 2, bottom: y + margin / 2 }
      if (x - half < 2 || x + half > width - 2) return false
      if (taken.some((other) => box.left < other.right && box.right > other.left && box.top < other.bottom && box.bottom > other.top)) return false
      taken.push(box)
      context.fillStyle = color
      context.lineWidth = 4
      context.strokeText(text, x, y)
      context.fillText(text, x, y)
      return true
    }
    const ring = ({ x, y, radius }: Place, color: string, thickness: number) => {
      context.beginPath()
      context.arc(x, y, radius + thickness / 2 + 1, 0, 2 * Math.PI)
      context.lineWidth = thickness
      context.save()
      context.strokeStyle = color
      context.stroke()
      context.restore()
    }
    const title = ({ anime, place }: { anime: Anime; place: Place }, color: string, margin: number) =>
      write(shorten(anime.title), place.x, place.y + place.radius + 15, 13, color, margin)

    const focus = view.hovered ?? view.selected
    for (const id of new Set(view.trail)) ring(this.placeOf(id), view.colors.accent, 2)
    if (focus !== null) {
      const anime = this.graph.byId.get(focus)!
      const place = this.placeOf(focus)
      ring(place, view.colors.text, 3)
      const { x, y, radius } = place
      taken.push({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius })
      useFont(FOCUS_FONT)
      // The card beside a hovered disc says its title.
      if (view.hovered === null) title({ anime, place }, view.colors.text, 2)
      useFont(TITLE_FONT)
      for (const id of view.near) {
        if (id === focus || sigma.getNodeDisplayData(id)!.hidden) continue
        title({ anime: this.graph.byId.get(id)!, place: this.placeOf(id) }, view.colors.text, 2)
      }
    } else {
      const ratio = sigma.getCamera().ratio
      if (ratio > 0.3) {
        useFont(CLUSTER_FONT)
        const project = this.projection()
        context.globalAlpha = Math.min(1, (ratio - 0.3) * 4)
        for (const { id, name, color, x, y } of this.clusterCentres) {
          if (view.hidden.has(id)) continue
          const at = project({ x, y })
          write(name, at.x, at.y + 5, 16, mix(color[view.colors.theme], view.colors.text, 0.45), 6)
        }
        context.globalAlpha = 1
      }
      useFont(TITLE_FONT)
      let room = Math.round((width * height) / 15_000), tries = 1500
      for (const visible of this.visible()) {
        if (view.shownCluster !== null && visible.anime.cluster.id !== view.shownCluster) continue
        if (title(visible, view.colors.text, 7) && --room <= 0) break
        if (--tries <= 0) break
      }
    }
    if (view.underCross) {
      const { x, y } = freeArea(sigma)
      context.fillStyle = view.colors.accent
      context.fillRect(x - 10, y - 1, 20, 2)
      context.fillRect(x - 1, y - 10, 2, 20)
      const place = this.placeOf(view.underCross.id)
      ring(place, view.colors.accent, 3)
      useFont(FOCUS_FONT)
      title({ anime: view.underCross, place }, view.colors.text, 0)
    }
  }

  /** The disc that is on top at a point, as its key in the graph. */
  discAt(point: { x: number; y: number }): string | null {
    // The popular ones are drawn last, so the first that holds the point lies on top.
    for (const { anime, place } of this.visible())
      if (Math.hypot(place.x - point.x, place.y - point.y) <= Math.max(4, place.radius)) return String(anime.id)
    return null
  }

  nearestTo(point: { x: number; y: number }): Anime | null {
    let best: Anime | null = null, smallest = Infinity
    for (const { anime, place } of this.visible()) {
      const distance = Math.hypot(place.x - point.x, place.y - point.y)
      if (distance < smallest) [best, smallest] = [anime, distance]
    }
    return best
  }

  /** Titles whose discs have become large enough to show a cover, and do not show one yet. */
  newCovers(): number[] {
    const ids: number[] = []
    for (const { anime, place } of this.visible()) {
      if (this.view.covers.size + ids.length >= MOST_COVERS || ids.length >= 200) break
      if (anime.picture && place.radius >= COVER_RADIUS && !this.view.covers.has(anime.id)) ids.push(anime.id)
    }
    return ids
  }
}

const stillPreferred = () => matchMedia('(prefers-reduced-motion: reduce)').matches

/** Flies so that the title lies in the middle of the free area with most of its nearest around it. */
function flyTo(sigma: Sigma, anime: Anime, near: number[], still: boolean) {
  const target = sigma.getNodeDisplayData(anime.id)!
  const distances = near
    .map((id) => sigma.getNodeDisplayData(id)!)
    .map((place) => Math.hypot(place.x - target.x, place.y - target.y))
    .sort((a, b) => a - b)
  const free = freeArea(sigma)
  const { width, height } = sigma.getDimensions()
  const share = Math.min(free.width, free.height) / Math.min(width, height)
  const reach = distances[Math.floor(distances.length * 0.7)] ?? 0.1
  const smallest = sigma.getSetting('minCameraRatio')! * 3
  const ratio = Math.min(0.7, Math.max(smallest, (reach * 2.6) / share))
  const centred = { x: target.x, y: target.y, angle: 0, ratio }
  const middle = sigma.viewportToFramedGraph(free, { cameraState: centred })
  const state = { ...centred, x: 2 * target.x - middle.x, y: 2 * target.y - middle.y }
  if (still) sigma.getCamera().setState(state)
  else void sigma.getCamera().animate(state, { duration: 700, easing: 'cubicInOut' })
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
    if (selected) flyTo(sigma, selected, graph.neighbours.get(selected.id)!.map(({ id }) => id), firstFlight.current || stillPreferred())
    firstFlight.current = false
  }, [sigma, graph, selected])

  const camera = sigma.getCamera()
  const zoom = (factor: number) => {
    const free = freeArea(sigma)
    const state = sigma.getViewportZoomedState(free, camera.ratio * factor)
    if (stillPreferred()) camera.setState(state)
    else void camera.animate(state, { duration: 200 })
  }
  const reset = () => {
    const free = freeArea(sigma)
    const { width, height } = sigma.getDimensions()
    const centred = { x: 0.5, y: 0.5, angle: 0, ratio: Math.min(width, height) / Math.min(free.width, free.height) }
    const middle = sigma.viewportToFramedGraph(free, { cameraState: centred })
    const state = { ...centred, x: 1 - middle.x, y: 1 - middle.y }
    if (stillPreferred()) camera.setState(state)
    else void camera.animate(state, { duration: 400 })
  }
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
