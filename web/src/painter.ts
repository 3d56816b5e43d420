/** What is drawn around the discs: lines, trail, names; and what follows from where the discs lie on the screen. */
import type Sigma from 'sigma'
import { mix, type ThemeColor } from './colors'
import { byPopularity, type Anime, type AnimeGraph } from './graph'

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

export function readColors(dark: boolean): Colors {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return {
    theme: dark ? 'dark' : 'light',
    background: read('--background'), text: read('--text'), accent: read('--accent'),
  }
}

const shorten = (title: string) =>
  title.length > LONGEST_TITLE ? title.slice(0, LONGEST_TITLE - 1).trimEnd() + '…' : title

export interface Place {
  x: number
  y: number
  radius: number
}

/** The part of the map that neither panel nor legend nor, where room is short, the search field covers: its middle and size in pixels. */
export function freeArea(sigma: Sigma) {
  const { width, height } = sigma.getDimensions()
  let left = 0, top = 0, right = width, bottom = height
  for (const box of document.querySelectorAll('.panel, .legend-box')) {
    const covered = box.getBoundingClientRect()
    if (covered.width === 0) continue // the phone's legend, which the panel replaces
    if (covered.width > width * 0.8) [top, bottom] = [100, covered.top]
    else if (covered.left > width / 2) right = covered.left
    else left = covered.right
  }
  return { x: (left + right) / 2, y: (top + bottom) / 2, width: right - left, height: bottom - top }
}

export class Painter {
  private widths = new Map<string, number>()
  private clusterCentres: { name: string; id: number; color: ThemeColor; x: number; y: number }[] = []
  private order: Anime[]

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
