/** States of sigma's camera that show certain titles in the free area. */
import type Sigma from 'sigma'
import type { CameraState } from 'sigma/types'
import type { Anime, AnimeGraph } from '../data/graph'
import type { FreeArea, Point } from './geometry'

/**
 * A neighbour more than so many times as far away as the median one is left out, or the others would become
 * a point.
 */
const FAR_OFF = 6
/** The whole map is not zoomed in further than this ratio. */
const MIN_RATIO_OF_ALL = 0.2

/**
 * Move the camera in `duration` ms; at once for 0, and where the user prefers reduced motion. Ends when the
 * camera is there, or on another way.
 */
export async function move(sigma: Sigma, state: CameraState, duration: number) {
  const camera = sigma.getCamera()
  const atOnce = duration === 0 || matchMedia('(prefers-reduced-motion: reduce)').matches
  // A state that is set while the camera glides would be lost at its next frame.
  if (atOnce && !camera.isAnimated()) camera.setState(state)
  else await camera.animate(state, { duration: atOnce ? 1 : duration, easing: 'cubicInOut' })
}

/** Return the state with `point` (sigma's framed coordinates) in the middle of the free area. */
function centredOn(sigma: Sigma, free: FreeArea, point: Point, ratio: number): CameraState {
  const centred = { x: point.x, y: point.y, angle: 0, ratio }
  const middle = sigma.viewportToFramedGraph(free, { cameraState: centred })
  return { ...centred, x: 2 * point.x - middle.x, y: 2 * point.y - middle.y }
}

/**
 * Return the state in which the points (framed coordinates) fill the free area, with a ratio of at least
 * `minRatio`.
 */
function fitting(sigma: Sigma, free: FreeArea, points: Point[], minRatio: number): CameraState {
  const low = { x: Number.POSITIVE_INFINITY, y: Number.POSITIVE_INFINITY }
  const high = { x: Number.NEGATIVE_INFINITY, y: Number.NEGATIVE_INFINITY }
  for (const { x, y } of points) {
    Object.assign(low, { x: Math.min(low.x, x), y: Math.min(low.y, y) })
    Object.assign(high, { x: Math.max(high.x, x), y: Math.max(high.y, y) })
  }
  const middle = { x: (low.x + high.x) / 2, y: (low.y + high.y) / 2 }
  // Pixels at ratio 1; at ratio r they are r times fewer.
  const cameraState = { ...middle, angle: 0, ratio: 1 }
  const from = sigma.framedGraphToViewport(low, { cameraState })
  const to = sigma.framedGraphToViewport(high, { cameraState })
  // Room for half a name at the sides, and for a whole one above and below.
  const width = free.width - 2 * Math.min(64, 0.1 * free.width)
  const height = free.height - 2 * Math.min(32, 0.1 * free.height)
  const ratio = Math.max((to.x - from.x) / width, (from.y - to.y) / height, minRatio)
  return centredOn(sigma, free, middle, ratio)
}

const positionOf = (sigma: Sigma, id: number | string): Point => sigma.getNodeDisplayData(id)!

/** Return the state that shows all titles. */
export function showingAll(sigma: Sigma, free: FreeArea): CameraState {
  const points = sigma.getGraph().mapNodes((key) => positionOf(sigma, key))
  return fitting(sigma, free, points, MIN_RATIO_OF_ALL)
}

/** Return the state that shows certain titles. */
export function showingTitles(sigma: Sigma, free: FreeArea, anime: Anime[]): CameraState {
  const points = anime.map(({ id }) => positionOf(sigma, id))
  return fitting(sigma, free, points, MIN_RATIO_OF_ALL)
}

/** Return the state that shows a title and its neighbours. */
export function showingNeighbours(
  sigma: Sigma,
  free: FreeArea,
  graph: AnimeGraph,
  { id }: Anime,
): CameraState {
  const target = positionOf(sigma, id)
  const distance = (other: Point) => Math.hypot(other.x - target.x, other.y - target.y)
  const near = graph.neighbours
    .get(id)!
    .map((neighbour) => positionOf(sigma, neighbour.id))
    .sort((a, b) => distance(a) - distance(b))
  const farthest = near.length > 0 ? FAR_OFF * distance(near[near.length >> 1]) : 0
  const points = [target, ...near.filter((other) => distance(other) <= farthest)]
  return fitting(sigma, free, points, sigma.getSetting('minCameraRatio')! * 3)
}

/** Return the state in which the free area `now` shows what the free area `before` shows in the state `at`. */
export function following(sigma: Sigma, at: CameraState, before: FreeArea, now: FreeArea): CameraState {
  const smallerSide = ({ width, height, stage }: FreeArea) =>
    Math.min(width, height) / Math.min(stage.width, stage.height)
  // sigma takes the point as one of its present size, whatever dimensions it is given.
  const point = {
    x: (before.x / before.stage.width) * now.stage.width,
    y: (before.y / before.stage.height) * now.stage.height,
  }
  const middle = sigma.viewportToFramedGraph(point, {
    cameraState: at,
    viewportDimensions: before.stage,
  })
  const ratio = (at.ratio * smallerSide(before)) / smallerSide(now)
  return centredOn(sigma, now, middle, ratio)
}
