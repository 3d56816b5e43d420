/** The marks of the titles: their sizes, and where they are on the screen. */
import Graph from 'graphology'
import type Sigma from 'sigma'
import { type Anime, type AnimeGraph, byPopularity } from '../data/graph'
import type { Mark, Point } from './geometry'

/** Distance in pixels from the rim of a mark at which it still takes the pointer. */
const MOUSE_REACH = 3
const TOUCH_REACH = 20
const coarse = matchMedia('(pointer: coarse)')

/** Least radius of a disc in pixels, however far out the camera is. */
export const MIN_RADIUS = 2.5
/** Greatest radius in pixels at the camera's ratio 1. */
const MAX_RADIUS = 24
/** Where discs are enlarged to MIN_RADIUS, their differences grow by at most so much: popular ones stand out. */
const MAX_GROWTH = 2.4

/** Discs grow with this power of the zoom, more slowly than distances, so that zooming in separates them. */
const ZOOM_POWER = 0.7

/** Return the camera's ratio in the nearest view of a map of so many titles. */
export const minRatio = (titles: number) => 0.3 / Math.sqrt(titles)

/** Return sigma's padding around the map, in pixels. */
export const stagePadding = () => Math.min(60, 0.06 * Math.min(innerWidth, innerHeight))

function extentOf(anime: Anime[]) {
  const extent = (values: number[]) =>
    values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b))
  return { width: extent(anime.map(({ x }) => x)), height: extent(anime.map(({ y }) => y)) }
}

/**
 * Return sigma's graph: a node for each title, without edges. `upright`: a map that is wider than high is
 * turned by a right angle, so that it fills an upright screen.
 */
export function makeNodes(graph: AnimeGraph, upright: boolean) {
  const nodes = new Graph()
  const order = byPopularity(graph.anime)
  const { width, height } = extentOf(order)
  // Pixels of a unit at the camera's ratio 1, where sigma fits the map into the window.
  const scale = (Math.min(innerWidth, innerHeight) - 2 * stagePadding()) / (Math.max(width, height) || 1)
  const turned = upright && width > height
  const least = scale * order.reduce((radius, other) => Math.min(radius, other.radius), MAX_RADIUS)
  const enlarged = Math.max(1, MIN_RADIUS / least)
  const growth = Math.min(enlarged, MAX_GROWTH)
  // Discs that are enlarged here grow less with zoom: the nearest view has them in the size of the drawn map.
  const power = ZOOM_POWER - Math.log(enlarged) / Math.log(1 / minRatio(order.length))
  nodes.setAttribute('zoomPower', Math.max(0.1, power))
  // Later nodes are drawn over earlier ones: the popular ones come last.
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const { id, x, y, radius } = order[rank]
    const size = Math.min(Math.max(MIN_RADIUS, least) + (radius * scale - least) * growth, MAX_RADIUS)
    nodes.addNode(id, turned ? { x: y, y: -x, size } : { x, y, size })
  }
  return nodes
}

export type Nodes = ReturnType<typeof makeNodes>

export interface Visible {
  anime: Anime
  mark: Mark
}

/** The marks on the screen, by the camera as it is now. */
export class Marks {
  private order: Anime[]

  constructor(
    private sigma: Sigma,
    graph: AnimeGraph,
  ) {
    this.order = byPopularity(graph.anime)
  }

  /**
   * Return a function from sigma's framed coordinates to pixels. The camera never turns, so two factors
   * suffice.
   */
  projection() {
    // sigma's own matrix is that of the last frame.
    const now = { cameraState: this.sigma.getCamera().getState() }
    const origin = this.sigma.framedGraphToViewport({ x: 0, y: 0 }, now)
    const unit = this.sigma.framedGraphToViewport({ x: 1, y: 1 }, now)
    return ({ x, y }: Point): Point => ({
      x: origin.x + x * (unit.x - origin.x),
      y: origin.y + y * (unit.y - origin.y),
    })
  }

  /** Yield the titles on the screen, the most popular first. */
  *visible(): Generator<Visible> {
    const { width, height } = this.sigma.getDimensions()
    const project = this.projection()
    const scale = this.sigma.scaleSize(1)
    for (const anime of this.order) {
      const data = this.sigma.getNodeDisplayData(anime.id)!
      if (data.hidden) continue
      const { x, y } = project(data)
      const radius = Math.max(MIN_RADIUS, data.size * scale)
      if (x < -radius || x > width + radius || y < -radius || y > height + radius) continue
      yield { anime, mark: { x, y, radius } }
    }
  }

  /** Return where a title lies in sigma's framed coordinates. */
  placeOf(id: number): Point {
    const { x, y } = this.sigma.getNodeDisplayData(id)!
    return { x, y }
  }

  isHidden(id: number): boolean {
    return this.sigma.getNodeDisplayData(id)!.hidden
  }

  /** Return the mark of a title, on the screen or not. */
  of(id: number): Mark {
    const data = this.sigma.getNodeDisplayData(id)!
    return {
      ...this.sigma.framedGraphToViewport(data),
      radius: Math.max(MIN_RADIUS, this.sigma.scaleSize(data.size)),
    }
  }

  /** Return the title whose mark is on top at a point, else the nearest within reach, else null. */
  at(point: Point): Anime | null {
    let best: Anime | null = null
    let smallest = coarse.matches ? TOUCH_REACH : MOUSE_REACH
    for (const { anime, mark } of this.visible()) {
      const distance = Math.hypot(mark.x - point.x, mark.y - point.y) - mark.radius
      // The popular ones are drawn last, so the first that contains the point is on top.
      if (distance <= 0) return anime
      if (distance < smallest) {
        best = anime
        smallest = distance
      }
    }
    return best
  }

  /** Return the title nearest to a point, on the screen or not; null if all are hidden. */
  nearestTo(point: Point): Anime | null {
    const project = this.projection()
    let best: Anime | null = null
    let smallest = Number.POSITIVE_INFINITY
    for (const anime of this.order) {
      const data = this.sigma.getNodeDisplayData(anime.id)!
      if (data.hidden) continue
      const { x, y } = project(data)
      const distance = Math.hypot(x - point.x, y - point.y)
      if (distance < smallest) {
        best = anime
        smallest = distance
      }
    }
    return best
  }

  /** Return whether there are titles, but none on the screen. */
  noneInSight(): boolean {
    return this.visible().next().done === true && this.nearestTo({ x: 0, y: 0 }) !== null
  }
}
