/**
 * Covers on the discs that are large enough. They are drawn on a canvas, not by WebGL: a host that does not
 * allow other pages to read its pictures (CORS) still allows them to be shown.
 */
import type Sigma from 'sigma'
import type { Anime } from '../data/graph'
import { fading } from './fading'
import type { Visible } from './marks'
import type { View } from './view'

/** Radius in pixels from which a disc is large enough for a cover. */
const COVER_RADIUS = 11
/** Share of the disc's radius that the cover takes: the rim keeps the colour of the cluster. */
const INNER = 0.9
/** Width and height in pixels of what is kept of a cover. */
const SIZE = 96
/** Where the square that is shown begins, as a share of what is cut off above and below: faces are above. */
const TOP = 0.2
/** Covers that are kept, 36 KB each, and that load at one time. */
const MAX_COVERS = 2000
const MAX_LOADING = 100

/** Return the round middle of a picture. */
function roundOf(picture: HTMLImageElement): OffscreenCanvas {
  const canvas = new OffscreenCanvas(SIZE, SIZE)
  const context = canvas.getContext('2d')!
  const { naturalWidth: width, naturalHeight: height } = picture
  const side = Math.min(width, height)
  context.arc(SIZE / 2, SIZE / 2, SIZE / 2, 0, 2 * Math.PI)
  context.clip()
  context.drawImage(picture, (width - side) / 2, (height - side) * TOP, side, side, 0, 0, SIZE, SIZE)
  return canvas
}

export class Covers {
  /** Round covers by MAL id; null while one loads, or where it cannot be loaded. */
  private covers = new Map<number, OffscreenCanvas | null>()
  private loading = 0
  /** Whether the host allows pages to read its covers; null until the first answer. */
  private readable: boolean | null = null
  /** A cover has come, or cannot be loaded: there is room for another. Null while no map is shown. */
  onAnswer: (() => void) | null = null

  constructor(
    private sigma: Sigma,
    private view: View,
  ) {
    if (!('covers' in sigma.getCanvases())) {
      const { covers, nodes } = sigma.createCanvasContext('covers').getCanvases()
      nodes.after(covers)
      sigma.resize(true)
    }
  }

  private *shown(visible: Visible[]) {
    // The colour of a number would be hidden.
    if (this.view.coloring.scale) return
    for (const entry of visible)
      if (entry.anime.picture && entry.mark.radius >= COVER_RADIUS && fading(entry.anime, this.view) === 0)
        yield entry
  }

  /** Draw the covers that are there. A later disc lies below an earlier one. */
  draw(visible: Visible[]) {
    const canvas = this.sigma.getCanvases().covers
    const drawn = [...this.shown(visible)].filter(({ anime }) => this.covers.get(anime.id))
    // A layer with nothing on it would cost as much as one with covers.
    canvas.style.display = drawn.length > 0 ? '' : 'none'
    const context = canvas.getContext('2d')!
    const { width, height } = this.sigma.getDimensions()
    context.clearRect(0, 0, width, height)
    for (const { anime, mark } of drawn.reverse()) {
      const radius = mark.radius * INNER
      const cover = this.covers.get(anime.id)!
      context.drawImage(cover, mark.x - radius, mark.y - radius, 2 * radius, 2 * radius)
    }
  }

  /** Load what is missing of the covers that are to be shown. */
  load(visible: Visible[]) {
    for (const { anime } of this.shown(visible)) {
      if (this.covers.has(anime.id)) continue
      // The first answer says how to ask for the others.
      if (this.covers.size >= MAX_COVERS || this.loading >= (this.readable === null ? 1 : MAX_LOADING)) return
      this.loadOne(anime, this.readable !== false)
    }
  }

  private loadOne({ id, picture }: Anime, readably: boolean) {
    this.covers.set(id, null)
    this.loading++
    const image = new Image()
    if (readably) image.crossOrigin = 'anonymous'
    image.referrerPolicy = 'no-referrer'
    image.onload = () => {
      this.readable ??= true
      this.covers.set(id, roundOf(image))
      this.loading--
      this.onAnswer?.()
    }
    image.onerror = () => {
      if (readably && !this.readable) {
        this.readable = false
        this.covers.delete(id)
      }
      this.loading--
      this.onAnswer?.()
    }
    image.src = picture!
  }
}
