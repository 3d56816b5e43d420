/** What is drawn around the discs: lines, trail, names; and what follows from where the discs lie on the screen. */
import type Sigma from 'sigma'
import { mix, type ThemeColor } from './colors'
import { type Anime, type AnimeGraph, byPopularity } from './graph'

interface Colors {
  theme: keyof ThemeColor
  background: string
  text: string
  accent: string
}

/** What the drawing depends on besides the graph and the camera; changed in place, since sigma reads it at every frame. */
export interface View {
  colors: Colors
  hovered: number | null
  selected: number | null
  /** The title in focus and its ten nearest; empty when nothing is in focus. */
  near: Set<number>
  trail: number[]
  hidden: ReadonlySet<number>
  shownCluster: number | null
  /** Titles whose covers show. */
  covers: Set<number>
  /** The title that Enter would open, while the map has the keyboard. */
  underCross: Anime | null
}

/** Radius in pixels from which on a disc is large enough to show a cover. */
const COVER_RADIUS = 11
/** Covers are never let go of by the texture, so their number is bounded: 2,000 take some 75 MB. */
const MOST_COVERS = 2000
const TITLE_FONT = '500 12px system-ui, sans-serif'
const FOCUS_FONT = '700 14px system-ui, sans-serif'
const CLUSTER_FONT = '700 15px system-ui, sans-serif'
const LONGEST_TITLE = 34
/** Discs of a smaller radius, in pixels, may lie under a text: where there are thousands, they lie everywhere. */
const DOT = 4
/** Pixels from a disc's rim within which it still takes the pointer. */
const MOUSE_REACH = 3
const TOUCH_REACH = 16
const coarse = matchMedia('(pointer: coarse)')
/** Where a cluster's name may stand, in pixels from the middle of its titles. */
const CLUSTER_SHIFTS = [0, -22, 22, -44, 44, -66, 66]
  .flatMap((y) => [0, -40, 40, -80, 80].map((x) => ({ x, y })))
  .sort((a, b) => Math.hypot(a.x, a.y) - Math.hypot(b.x, b.y))

export function readColors(dark: boolean): Colors {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return {
    theme: dark ? 'dark' : 'light',
    background: read('--background'),
    text: read('--text'),
    accent: read('--accent'),
  }
}

const shorten = (title: string) =>
  title.length > LONGEST_TITLE ? `${title.slice(0, LONGEST_TITLE - 1).trimEnd()}…` : title

export interface Place {
  x: number
  y: number
  radius: number
}

/** The middle and the size, in pixels. */
export interface Area {
  x: number
  y: number
  width: number
  height: number
}

/** The part of the map that neither header nor panel nor legend covers. */
export function freeArea(sigma: Sigma): Area {
  const { width, height } = sigma.getDimensions()
  const top = document.querySelector('header')!.getBoundingClientRect().bottom
  let left = 0,
    right = width,
    bottom = height
  for (const box of document.querySelectorAll('.panel, .legend-box')) {
    const covered = box.getBoundingClientRect()
    if (covered.width > width * 0.8) bottom = Math.min(bottom, covered.top)
    else if (covered.left > width / 2) right = covered.left
    else left = covered.right
  }
  // Legend and panel may cover a small screen between them; some area is still needed to reckon with.
  const size = { width: Math.max(80, right - left), height: Math.max(80, bottom - top) }
  return { x: (left + right) / 2, y: (top + bottom) / 2, ...size }
}

/** The sides of a text in pixels. */
interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

const overlap = (a: Box, b: Box) =>
  a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top

/** The discs on screen, kept by squares of the screen, so that those under a text are found among few. */
class Discs {
  private static readonly SQUARE = 64
  private squares = new Map<number, Place[]>()

  private *squaresOf({ left, right, top, bottom }: Box) {
    const square = (value: number) => Math.floor(value / Discs.SQUARE)
    for (let row = square(top); row <= square(bottom); row++)
      for (let column = square(left); column <= square(right); column++) yield row * 1000 + column
  }

  add(place: Place) {
    const { x, y, radius } = place
    for (const square of this.squaresOf({
      left: x - radius,
      right: x + radius,
      top: y - radius,
      bottom: y + radius,
    })) {
      const others = this.squares.get(square)
      if (others) others.push(place)
      else this.squares.set(square, [place])
    }
  }

  /** How many discs a text would lie on. */
  countUnder(box: Box): number {
    const under = new Set<Place>()
    for (const square of this.squaresOf(box)) {
      for (const place of this.squares.get(square) ?? []) {
        const x = Math.max(box.left, Math.min(place.x, box.right)),
          y = Math.max(box.top, Math.min(place.y, box.bottom))
        if (Math.hypot(place.x - x, place.y - y) < place.radius) under.add(place)
      }
    }
    return under.size
  }
}

export class Painter {
  private widths = new Map<string, number>()
  /** Titles whose covers the texture holds. */
  private loaded = new Set<number>()
  private clusterCentres: { name: string; id: number; color: ThemeColor; x: number; y: number }[] = []
  private order: Anime[]

  constructor(
    private sigma: Sigma,
    private graph: AnimeGraph,
    private view: View,
  ) {
    this.order = byPopularity(graph.anime)
    this.findClusterCentres()
  }

  private findClusterCentres() {
    const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]
    for (const { id, name, color } of this.graph.clusters) {
      const places = this.graph.anime
        .filter((anime) => anime.cluster.id === id)
        .map((anime) => this.sigma.getNodeDisplayData(anime.id)!)
      this.clusterCentres.push({
        id,
        name,
        color,
        x: middle(places.map((p) => p.x)),
        y: middle(places.map((p) => p.y)),
      })
    }
  }

  /** A function from sigma's framed coordinates to pixels; the camera is never rotated, so two factors are enough. */
  private projection() {
    // By the camera as it stands now: sigma's own matrix is that of the last frame.
    const now = { cameraState: this.sigma.getCamera().getState() }
    const origin = this.sigma.framedGraphToViewport({ x: 0, y: 0 }, now)
    const unit = this.sigma.framedGraphToViewport({ x: 1, y: 1 }, now)
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
        line(
          from,
          this.placeOf(id),
          mix(view.colors.background, view.colors.text, 0.4),
          0.8 + 2.2 * Math.max(0, similarity),
        )
      }
    }
    for (let k = 1; k < view.trail.length; k++) {
      const from = this.placeOf(view.trail[k - 1]),
        to = this.placeOf(view.trail[k])
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

  /**
   * Draws over the discs: with a title in focus its name and those of its nearest, else names of clusters, then titles from the
   * most popular on. No text lies on another, and on a disc only what has to be said and finds no better place.
   */
  draw() {
    this.drawLinks()
    const { sigma, view } = this
    const context = sigma.getCanvases().labels.getContext('2d')!
    const { width, height } = sigma.getDimensions()
    // Nor under what lies over the map.
    const taken: Box[] = [
      ...document.querySelectorAll('.panel, .legend-box, .zoom-buttons, .tools, .search'),
    ].map((part) => part.getBoundingClientRect())
    const discs = new Discs()
    const visible = [...this.visible()]
    for (const { place } of visible) if (place.radius >= DOT) discs.add(place)
    let font = ''
    const useFont = (name: string) => {
      context.font = font = name
    }
    context.textAlign = 'center'
    context.lineJoin = 'round'
    context.strokeStyle = view.colors.background

    /**
     * Writes a text at the first of `points` (middle of its base line) where it lies on no text and no disc, or, if it `must` be
     * said, where it lies on the fewest discs. True if there was room; `margin` in pixels to the next text.
     */
    const write = (
      text: string,
      points: { x: number; y: number }[],
      lineHeight: number,
      color: string,
      margin: number,
      must: boolean,
    ) => {
      const half = this.width(context, font, text) / 2
      let best: { x: number; y: number; box: Box } | null = null
      let fewest = must ? Infinity : 1
      for (const { x, y } of points) {
        if (x - half < 2 || x + half > width - 2 || y - lineHeight < 2 || y > height - 2) continue
        const box = {
          left: x - half - margin,
          right: x + half + margin,
          top: y - lineHeight - margin / 2,
          bottom: y + margin / 2,
        }
        if (taken.some((other) => overlap(box, other))) continue
        const under = discs.countUnder({
          left: x - half,
          right: x + half,
          top: y - lineHeight + 2,
          bottom: y + 2,
        })
        if (under < fewest) [best, fewest] = [{ x, y, box }, under]
        if (under === 0) break
      }
      if (!best) return false
      taken.push(best.box)
      context.fillStyle = color
      context.lineWidth = 4
      context.strokeText(text, best.x, best.y)
      context.fillText(text, best.x, best.y)
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
    const title = (
      { anime, place: { x, y, radius } }: { anime: Anime; place: Place },
      margin: number,
      must = false,
    ) => {
      const text = shorten(anime.title)
      const half = this.width(context, font, text) / 2
      const beside = radius + 6 + half
      // At the edge of the screen a name moves inwards.
      const inside = Math.max(half + 3, Math.min(x, width - half - 3))
      const points = [
        { x: inside, y: y + radius + 15 },
        { x: inside, y: y - radius - 6 },
        { x: x + beside, y: y + 4 },
        { x: x - beside, y: y + 4 },
      ]
      if (must)
        points.push(
          ...[22, -14].flatMap((down) => [
            { x: x + beside, y: y + down },
            { x: x - beside, y: y + down },
          ]),
        )
      return write(text, points, 13, view.colors.text, margin, must)
    }

    if (view.underCross) {
      const { x, y } = freeArea(sigma)
      taken.push({ left: x - 10, right: x + 10, top: y - 10, bottom: y + 10 })
      context.fillStyle = view.colors.accent
      context.fillRect(x - 10, y - 1, 20, 2)
      context.fillRect(x - 1, y - 10, 2, 20)
      const place = this.placeOf(view.underCross.id)
      ring(place, view.colors.accent, 3)
      useFont(FOCUS_FONT)
      const inSight = place.x > 0 && place.x < width && place.y > 0 && place.y < height
      title({ anime: view.underCross, place: inSight ? place : { x, y, radius: 10 } }, 0, true)
    }

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
      if (view.hovered === null) title({ anime, place }, 2, true)
      useFont(TITLE_FONT)
      for (const id of view.near) {
        if (id === focus || sigma.getNodeDisplayData(id)!.hidden) continue
        title({ anime: this.graph.byId.get(id)!, place: this.placeOf(id) }, 2, true)
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
          if (at.x < 0 || at.x > width || at.y < 0 || at.y > height) continue
          const half = this.width(context, font, name) / 2 + 4
          const points = CLUSTER_SHIFTS.map((shift) => ({
            x: Math.max(half, Math.min(at.x + shift.x, width - half)),
            y: at.y + 5 + shift.y,
          }))
          write(name, points, 16, mix(color[view.colors.theme], view.colors.text, 0.45), 6, true)
        }
        context.globalAlpha = 1
      }
      useFont(TITLE_FONT)
      let room = Math.round((width * height) / 15_000),
        tries = 600
      let always = Math.ceil(room / 8)
      for (const one of visible) {
        if (view.shownCluster !== null && one.anime.cluster.id !== view.shownCluster) continue
        // The most popular are named even where that takes a place on another's disc.
        if (title(one, 7, --always >= 0) && --room <= 0) break
        if (--tries <= 0) break
      }
    }
  }

  /** The disc that is on top at a point, else the nearest within reach of the hand, as its key in the graph. */
  discAt(point: { x: number; y: number }): string | null {
    let best: string | null = null,
      smallest = coarse.matches ? TOUCH_REACH : MOUSE_REACH
    for (const { anime, place } of this.visible()) {
      const distance = Math.hypot(place.x - point.x, place.y - point.y) - place.radius
      // The popular ones are drawn last, so the first that holds the point lies on top.
      if (distance <= 0) return String(anime.id)
      if (distance < smallest) [best, smallest] = [String(anime.id), distance]
    }
    return best
  }

  /** The title nearest to a point, on screen or not; null when all are switched off. */
  nearestTo(point: { x: number; y: number }): Anime | null {
    const project = this.projection()
    let best: Anime | null = null,
      smallest = Infinity
    for (const anime of this.order) {
      const data = this.sigma.getNodeDisplayData(anime.id)!
      if (data.hidden) continue
      const place = project(data)
      const distance = Math.hypot(place.x - point.x, place.y - point.y)
      if (distance < smallest) [best, smallest] = [anime, distance]
    }
    return best
  }

  /** Whether there are titles, and none of them on screen. */
  lost(): boolean {
    return this.visible().next().done === true && this.nearestTo(freeArea(this.sigma)) !== null
  }

  /** Shows covers on the discs that have become large enough, and none on those that no longer are. The ids of both. */
  changeCovers(): number[] {
    const { covers } = this.view
    const scale = this.sigma.scaleSize(1)
    const changed = [...covers].filter((id) => this.sigma.getNodeDisplayData(id)!.size * scale < COVER_RADIUS)
    changed.forEach((id) => covers.delete(id))
    let started = 0
    for (const { anime, place } of this.visible()) {
      if (!anime.picture || place.radius < COVER_RADIUS || covers.has(anime.id)) continue
      if (!this.loaded.has(anime.id)) {
        if (this.loaded.size >= MOST_COVERS || ++started > 200) continue
        this.loaded.add(anime.id)
      }
      covers.add(anime.id)
      changed.push(anime.id)
    }
    return changed
  }
}
