/** Names on the map: no text overlaps another, or what lies over the map, and marks only where it must. */
import { type Box, clamp, type Mark, MarkGrid, overlap, type Point } from './geometry'

export const TITLE_FONT = '500 12px system-ui, sans-serif'
export const FOCUS_FONT = '700 14px system-ui, sans-serif'
export const CLUSTER_FONT = '700 15px system-ui, sans-serif'

const MAX_TITLE = 34
/**
 * Marks with a smaller radius in pixels may lie under a text: where there are thousands, they lie
 * everywhere.
 */
const SMALL_MARK = 4
/** Pixels between a text and the edge of the map. */
const EDGE = 2
const TITLE_HEIGHT = 13
/** Width in pixels of the line around letters. */
const HALO = 4

const shorten = (title: string) =>
  title.length > MAX_TITLE ? `${title.slice(0, MAX_TITLE - 1).trimEnd()}…` : title

export interface TextStyle {
  color: string
  /** Height of a line in pixels. */
  height: number
  /** Pixels to the next text. */
  margin: number
  /** Write the text even if it overlaps marks. */
  must: boolean
}

const widths = new Map<string, number>()

/** The names of one frame. */
export class Names {
  private taken: Box[]
  private grid = new MarkGrid()
  /** What the context has; reading it from the context is slow. */
  private font = ''

  constructor(
    private context: CanvasRenderingContext2D,
    private size: { width: number; height: number },
    background: string,
    covered: Box[],
    marks: Mark[],
  ) {
    this.taken = [...covered]
    for (const mark of marks) if (mark.radius >= SMALL_MARK) this.grid.add(mark)
    context.textAlign = 'center'
    context.lineJoin = 'round'
    context.strokeStyle = background
  }

  useFont(font: string) {
    this.context.font = font
    this.font = font
  }

  /** Return the width of a text in pixels. */
  width(text: string): number {
    const key = this.font + text
    const known = widths.get(key)
    if (known !== undefined) return known
    const { width } = this.context.measureText(text)
    widths.set(key, width)
    return width
  }

  /** Let no text overlap the square around a mark. */
  keepFree({ x, y, radius }: Mark) {
    this.taken.push({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius })
  }

  /**
   * Write a text at the first of `points` (middle of its baseline) where it overlaps neither texts nor
   * marks; with `must`, else where it overlaps the fewest marks. Return whether there is room.
   */
  write(text: string, points: Point[], style: TextStyle): boolean {
    const half = this.width(text) / 2
    let best: Point | null = null
    let fewest = style.must ? Number.POSITIVE_INFINITY : 1
    for (const point of points) {
      if (!this.isFree(point, half, style)) continue
      const under = this.grid.countUnder({
        left: point.x - half,
        right: point.x + half,
        top: point.y - style.height + 2,
        bottom: point.y + 2,
      })
      if (under < fewest) {
        best = point
        fewest = under
      }
      if (under === 0) break
    }
    if (!best) return false
    this.taken.push(this.boxOf(best, half, style))
    this.context.fillStyle = style.color
    this.context.lineWidth = HALO
    this.context.strokeText(text, best.x, best.y)
    this.context.fillText(text, best.x, best.y)
    return true
  }

  private boxOf({ x, y }: Point, half: number, { height, margin }: TextStyle): Box {
    return {
      left: x - half - margin,
      right: x + half + margin,
      top: y - height - margin / 2,
      bottom: y + margin / 2,
    }
  }

  /** Return whether a text is on the map there, and overlaps no other text. */
  private isFree(point: Point, half: number, style: TextStyle): boolean {
    const { width, height } = this.size
    if (point.x - half < EDGE || point.x + half > width - EDGE) return false
    if (point.y - style.height < EDGE || point.y > height - EDGE) return false
    const box = this.boxOf(point, half, style)
    return !this.taken.some((other) => overlap(box, other))
  }

  /** Write a title below, above or beside its mark. Return whether there is room. */
  writeTitle(title: string, { x, y, radius }: Mark, color: string, margin: number, must = false): boolean {
    const text = shorten(title)
    const half = this.width(text) / 2
    const beside = radius + 6 + half
    // At the edge of the map a name moves inwards.
    const inside = clamp(x, half + EDGE + 1, this.size.width - half - EDGE - 1)
    const points = [
      { x: inside, y: y + radius + 15 },
      { x: inside, y: y - radius - 6 },
    ]
    for (const down of must ? [4, 22, -14] : [4])
      points.push({ x: x + beside, y: y + down }, { x: x - beside, y: y + down })
    return this.write(text, points, { color, height: TITLE_HEIGHT, margin, must })
  }
}
