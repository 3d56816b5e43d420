/** Points, marks, boxes and areas on the screen, in pixels. */

export interface Point {
  x: number
  y: number
}

/** A mark on the screen: a disc, or a round cover. */
export interface Mark extends Point {
  radius: number
}

export interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** The part of the map that nothing covers: its middle and size. `stage` is the size of the whole map. */
export interface FreeArea extends Point {
  width: number
  height: number
  stage: { width: number; height: number }
}

export const overlap = (a: Box, b: Box) =>
  a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top

export interface Segment {
  from: Point
  to: Point
}

/** Return whether a segment meets a box: Liang and Barsky's clipping leaves something of it. */
export function meets({ from, to }: Segment, { left, right, top, bottom }: Box): boolean {
  let [first, last] = [0, 1]
  const clips = [
    [from.x - to.x, from.x - left],
    [to.x - from.x, right - from.x],
    [from.y - to.y, from.y - top],
    [to.y - from.y, bottom - from.y],
  ]
  for (const [step, room] of clips) {
    if (step === 0 && room < 0) return false
    if (step < 0) first = Math.max(first, room / step)
    if (step > 0) last = Math.min(last, room / step)
  }
  return first <= last
}

export function cross(a: Segment, b: Segment): boolean {
  const side = ({ from, to }: Segment, { x, y }: Point) =>
    Math.sign((to.x - from.x) * (y - from.y) - (to.y - from.y) * (x - from.x))
  return side(a, b.from) !== side(a, b.to) && side(b, a.from) !== side(b, a.to)
}

export const clamp = (value: number, least: number, most: number) => Math.max(least, Math.min(value, most))

export const boxAround = ({ x, y, radius }: Mark): Box => ({
  left: x - radius,
  right: x + radius,
  top: y - radius,
  bottom: y + radius,
})

/** Side of a square of the grid. */
const SQUARE = 64
/** More than there are columns on any screen. */
const COLUMNS = 1000

/** The marks on the screen by squares, so that those under a text are found quickly. */
export class MarkGrid {
  private squares = new Map<number, Mark[]>()

  private *squaresOf({ left, right, top, bottom }: Box) {
    const index = (value: number) => Math.floor(value / SQUARE)
    for (let row = index(top); row <= index(bottom); row++)
      for (let column = index(left); column <= index(right); column++) yield row * COLUMNS + column
  }

  add(mark: Mark) {
    for (const square of this.squaresOf(boxAround(mark))) {
      const others = this.squares.get(square)
      if (others) others.push(mark)
      else this.squares.set(square, [mark])
    }
  }

  /**
   * Call `visit` with the marks less than `distance` pixels from a box, until it returns true. One that lies
   * in several squares is visited several times.
   */
  visitNear({ left, right, top, bottom }: Box, distance: number, visit: (mark: Mark) => boolean) {
    const around = {
      left: left - distance,
      right: right + distance,
      top: top - distance,
      bottom: bottom + distance,
    }
    for (const square of this.squaresOf(around))
      for (const mark of this.squares.get(square) ?? []) {
        const x = mark.x - clamp(mark.x, left, right)
        const y = mark.y - clamp(mark.y, top, bottom)
        const reach = mark.radius + distance
        if (x * x + y * y < reach * reach && visit(mark)) return
      }
  }
}
