/** Names on the map: no text overlaps another, or what lies over the map, and marks only where it must. */
import {
  type Box,
  boxAround,
  clamp,
  cross,
  type Mark,
  MarkGrid,
  meets,
  overlap,
  type Point,
  type Segment,
} from './geometry'

const FAMILY = 'system-ui, sans-serif'

/** Return the fonts of a map of so many pixels: a small one has room for few large letters. */
export const fontsFor = (width: number) =>
  width < 600
    ? { title: `500 11px ${FAMILY}`, focus: `700 13px ${FAMILY}`, cluster: `700 12px ${FAMILY}` }
    : { title: `500 12px ${FAMILY}`, focus: `700 14px ${FAMILY}`, cluster: `700 15px ${FAMILY}` }

/** Pixels between a text and the edge of the map. */
const EDGE = 2
/** Pixels between a title and its own mark, and the least number between a title and any other mark. */
const OWN_GAP = 2
const OTHER_GAP = 5
/** Step of the distance in pixels between a mark and a title with a line to it. */
const LEADER_STEP = 14
/** Letters of a title above and below the baseline, in pixels. */
const ASCENT = 10
const DESCENT = 3
/**
 * A mark with a smaller radius in pixels, and with less than half the radius of a title's own mark, may lie
 * under that title: where there are thousands, they lie everywhere.
 */
const SPECK = 5
/** The same in a crowd. */
const CROWD_SPECK = 9
/** Marks less than so many pixels apart are one and the same, computed in two ways. */
const SAME = 0.01
/** So many pixels a name of a cluster moves to cover one mark less, and what a speck counts. */
const SHIFT_FOR_A_MARK = 160
const SPECK_COST = 0.4
/**
 * Where there are more marks to a square pixel, texts cannot avoid all specks: they are everywhere. On a map of
 * thousands, they are so sooner.
 */
const CROWDED = 1 / 1000
const CROWDED_OF_MANY = 1 / 2500
const MANY = 2000
/** Where there are more marks, those with a smaller radius do not count, except the first, the most popular. */
const CROWD = 1500
const POPULAR = 100
const LEAST_IN_CROWD = 3
/** More than there are marks near any text. */
const BLOCKED = 1e6
/** Width in pixels of the line around letters, and around those that lie over specks. */
const HALO = 4
const WIDE_HALO = 9

interface TextStyle {
  color: string
  /** Height of a line in pixels. */
  height: number
  /** Pixels to the next text. */
  margin: number
  /** 0: invisible, 1: opaque. */
  alpha: number
}

const widths = new Map<string, number>()

/** The names of one frame. */
export class Names {
  private taken: Box[]
  /** The texts, without any room around them. */
  private written: Box[] = []
  /** The lines from marks to their titles. */
  private leaders: Segment[] = []
  private grid = new MarkGrid()
  /** The marks that are no specks. */
  private large = new MarkGrid()
  readonly isCrowded: boolean
  /** Radius below which a mark is a speck. */
  private speck: number
  /** What the context has; reading it from the context is slow. */
  private font = ''

  constructor(
    private context: CanvasRenderingContext2D,
    private size: { width: number; height: number },
    private background: string,
    covered: Box[],
    marks: Mark[],
    titles: number,
  ) {
    this.taken = [...covered]
    const limit = titles < MANY ? CROWDED : CROWDED_OF_MANY
    this.isCrowded = marks.length > limit * size.width * size.height
    this.speck = this.isCrowded ? CROWD_SPECK : SPECK
    const least = marks.length > CROWD ? LEAST_IN_CROWD : 0
    for (const [rank, mark] of marks.entries()) {
      if (mark.radius >= least || rank < POPULAR) this.grid.add(mark)
      if (mark.radius >= this.speck) this.large.add(mark)
    }
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
  keepFree(mark: Mark) {
    this.taken.push(boxAround(mark))
  }

  /**
   * Write a text where it covers no other text and few marks, near the first of `points` (middles of its
   * baseline, the nearest to it first): over specks, else on `below`, a layer below the marks.
   */
  writeOverSpecks(below: CanvasRenderingContext2D, text: string, points: Point[], style: TextStyle) {
    const half = this.width(text) / 2
    let best: { point: Point; large: number; specks: number } | null = null
    let least = Number.POSITIVE_INFINITY
    for (const point of points) {
      if (!this.isFree(point, half, style)) continue
      const shift = Math.hypot(point.x - points[0].x, point.y - points[0].y) / SHIFT_FOR_A_MARK
      if (shift >= least) break
      const { large, specks } = this.countUnder(this.boxOf(point, half, style))
      const cost = large + specks * SPECK_COST + shift
      if (cost >= least) continue
      best = { point, large, specks }
      least = cost
    }
    if (!best) return
    const context = best.large > 0 ? below : this.context
    context.textAlign = 'center'
    context.font = this.font
    context.lineJoin = 'round'
    context.strokeStyle = this.background
    this.put(
      context,
      text,
      best.point,
      half,
      style,
      best.large === 0 && (best.specks > 0 || this.isCrowded) ? WIDE_HALO : HALO,
    )
  }

  private put(
    context: CanvasRenderingContext2D,
    text: string,
    point: Point,
    half: number,
    style: TextStyle,
    halo = HALO,
  ) {
    this.taken.push(this.boxOf(point, half, style))
    const { x, y } = point
    this.written.push({ left: x - half, right: x + half, top: y - ASCENT, bottom: y + DESCENT })
    context.fillStyle = style.color
    context.globalAlpha = style.alpha
    context.lineWidth = halo
    context.strokeText(text, point.x, point.y)
    context.fillText(text, point.x, point.y)
    context.globalAlpha = 1
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
    return (
      !this.taken.some((other) => overlap(box, other)) && !this.leaders.some((leader) => meets(leader, box))
    )
  }

  /** Return whether a line to a title crosses no text, no other line and no other mark. */
  private isClear(leader: Segment, own: Mark): boolean {
    if (this.taken.some((box) => meets(leader, box))) return false
    if (this.leaders.some((other) => cross(leader, other))) return false
    const { from, to } = leader
    const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / SPECK)
    for (let step = 1; step <= steps; step++) {
      const x = from.x + ((to.x - from.x) * step) / steps
      const y = from.y + ((to.y - from.y) * step) / steps
      let met = false
      this.large.visitNear({ left: x, right: x, top: y, bottom: y }, 0, (mark) => {
        met ||= !isSame(mark, own)
        return met
      })
      if (met) return false
    }
    return true
  }

  /**
   * Write a title at its mark, nearer to it than to any other mark. Return whether there is room. `must`:
   * where there is none, write it over other marks. `faded`: marks that a title may cover, but that it avoids.
   * `leader`: where there is no room at the mark, write it up to so many pixels away, with a line to the mark.
   * `spared`: where given, it may cover other specks than these, but as few as it can.
   */
  writeTitle(
    text: string,
    mark: Mark,
    color: string,
    margin: number,
    { must = false, leader = 0, faded = new Set<Mark>(), spared = null as Set<Mark> | null } = {},
  ): boolean {
    const half = this.width(text) / 2
    const style = { color, height: ASCENT + DESCENT, margin, alpha: 1 }
    const costs = (other: Mark) => {
      if (other.radius < this.speck && other.radius < mark.radius / 2) return 0
      return faded.has(other) || (spared && other.radius < this.speck && !spared.has(other)) ? 1 : BLOCKED
    }
    const best = (points: Point[], most: number, allowed = (_point: Point) => true) => {
      let found: Point | null = null
      let fewest = most
      for (const point of points) {
        const cost = this.isFree(point, half, style) ? this.costOf(point, half, mark, costs, fewest) : most
        if (cost < fewest && allowed(point)) {
          found = point
          fewest = cost
        }
        if (fewest === 0) break
      }
      return found
    }
    const beside = best(pointsAround(mark, half, this.size.width), must ? Number.POSITIVE_INFINITY : BLOCKED)
    const clear = (point: Point) => this.isClear(leaderTo(mark, point, half), mark)
    const away = beside ? null : best(pointsAway(mark, half, leader), BLOCKED, clear)
    const point = beside ?? away
    if (!point) return false
    if (away) this.drawLeader(leaderTo(mark, away, half), color)
    this.put(this.context, text, point, half, style)
    return true
  }

  private drawLeader(leader: Segment, color: string) {
    this.leaders.push(leader)
    this.context.save()
    this.context.beginPath()
    this.context.moveTo(leader.from.x, leader.from.y)
    this.context.lineTo(leader.to.x, leader.to.y)
    this.context.strokeStyle = color
    this.context.globalAlpha = 0.55
    this.context.lineWidth = 1
    this.context.stroke()
    this.context.restore()
  }

  /** Return how many marks lie under a box; where there are many, without the specks. */
  private countUnder(box: Box) {
    const under = new Set<Mark>()
    const grid = this.isCrowded ? this.large : this.grid
    grid.visitNear(box, 0, (mark) => {
      under.add(mark)
      return false
    })
    const large = [...under].filter(({ radius }) => radius >= this.speck).length
    return { large, specks: under.size - large }
  }

  /** Return what the marks cost that a title would cover there; once that is `most`, no more are counted. */
  private costOf({ x, y }: Point, half: number, own: Mark, costs: (mark: Mark) => number, most: number) {
    const box = { left: x - half, right: x + half, top: y - ASCENT, bottom: y + DESCENT }
    let cost = 0
    this.grid.visitNear(box, OTHER_GAP, (other) => {
      if (!isSame(other, own)) cost += costs(other)
      return cost >= most
    })
    return cost
  }

  /** Return whether a text stands at a mark, or over it. */
  isTaken(mark: Mark): boolean {
    return this.written.some((box) => overlap(box, boxAround(mark)))
  }

  /** Return whether a mark is one among many as small. */
  isLost({ radius }: Mark): boolean {
    return this.isCrowded && radius < this.speck
  }
}

const isSame = (a: Mark, b: Mark) => Math.abs(a.x - b.x) + Math.abs(a.y - b.y) < SAME

/** Return the line from the rim of a mark to its title. */
function leaderTo({ x, y, radius }: Mark, text: Point, half: number): Segment {
  const to = { x: clamp(x, text.x - half, text.x + half), y: clamp(y, text.y - ASCENT, text.y + DESCENT) }
  const length = Math.hypot(to.x - x, to.y - y)
  return { from: { x: x + ((to.x - x) * radius) / length, y: y + ((to.y - y) * radius) / length }, to }
}

/** Return where a title may be written at its mark, as middles of its baseline, the best first. */
function pointsAround({ x, y, radius }: Mark, half: number, width: number): Point[] {
  const below = y + radius + OWN_GAP + ASCENT
  const above = y - radius - OWN_GAP - DESCENT
  const beside = radius + OWN_GAP + half
  const level = y + (ASCENT - DESCENT) / 2
  // At the edge of the map a name moves inwards.
  const inside = clamp(x, half + EDGE + 1, width - half - EDGE - 1)
  const points =
    Math.abs(inside - x) <= half
      ? [
          { x: inside, y: below },
          { x: inside, y: above },
        ]
      : []
  points.push({ x: x + beside, y: level }, { x: x - beside, y: level })
  const shift = half - radius
  if (shift > 0)
    for (const by of [shift, -shift, shift / 2, -shift / 2])
      points.push({ x: x + by, y: below }, { x: x + by, y: above })
  return points
}

/** Return where a title may be written away from its mark, the nearest first. */
function pointsAway({ x, y, radius }: Mark, half: number, most: number): Point[] {
  const points: Point[] = []
  for (let distance = LEADER_STEP; distance <= most; distance += LEADER_STEP)
    for (const up of [-1, 1, -0.5, 0.5])
      for (const side of up % 1 === 0 ? [0, -0.5, 0.5] : [-1, 1])
        points.push({
          x: x + side * (half + distance),
          y: y + up * (radius + distance) + (up < 0 ? -DESCENT : ASCENT),
        })
  return points
}
