/** The land under the clusters, as on the drawn map: where titles lie, in the colour of most of them. */
import { LAND, mix, type ThemeColor } from '../data/colors'
import type { AnimeGraph, Cluster } from '../data/graph'
import type { Box } from './geometry'

export interface Land {
  picture: OffscreenCanvas
  /** In sigma's framed coordinates, y upwards. */
  box: Box
}

/** Cells along the longer side. */
const CELLS = 320
/** Least standard deviation in cells with which a title spreads its land. */
const LEAST_SHORE = 1.5
/** Standard deviations up to which it is counted. */
const REACH = 2.5
/** Power of the shares in the mixture; the larger, the sharper is the border of two clusters. */
const BORDER = 6

interface Place {
  x: number
  y: number
  cluster: Cluster
}

interface Grid {
  columns: number
  rows: number
}

/** Return the land of some titles; null without any. */
export function makeLand(
  places: Place[],
  numbers: AnimeGraph['land'],
  theme: keyof ThemeColor,
  background: string,
): Land | null {
  if (places.length === 0) return null
  const extent = (values: number[]) => [
    values.reduce((a, b) => Math.min(a, b)),
    values.reduce((a, b) => Math.max(a, b)),
  ]
  const [[left, right], [bottom, top]] = [extent(places.map(({ x }) => x)), extent(places.map(({ y }) => y))]
  const distance = Math.sqrt(((right - left) * (top - bottom)) / places.length) || 1
  const margin = REACH * numbers.shore * distance
  const box = { left: left - margin, right: right + margin, top: top + margin, bottom: bottom - margin }
  const cell = Math.max(box.right - box.left, box.top - box.bottom) / CELLS
  const grid = {
    columns: Math.ceil((box.right - box.left) / cell),
    rows: Math.ceil((box.top - box.bottom) / cell),
  }
  const shore = Math.max(LEAST_SHORE, (numbers.shore * distance) / cell)
  const shares = new Map<Cluster, Float32Array>()
  for (const { x, y, cluster } of places) {
    const share = shares.get(cluster) ?? new Float32Array(grid.rows * grid.columns)
    shares.set(cluster, share)
    spread(share, grid, (x - box.left) / cell, (box.top - y) / cell, shore)
  }
  return { picture: paint(shares, grid, numbers, theme, background), box }
}

/** Add the land of one title to that of its cluster. */
function spread(share: Float32Array, { columns, rows }: Grid, x: number, y: number, shore: number) {
  const reach = REACH * shore
  for (let row = Math.max(0, Math.ceil(y - reach)); row <= Math.min(rows - 1, y + reach); row++)
    for (let column = Math.max(0, Math.ceil(x - reach)); column <= Math.min(columns - 1, x + reach); column++)
      share[row * columns + column] += Math.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * shore * shore))
}

/** Return the land in colours: a cell has that of the cluster with the largest share, or a mixture where two are nearly equal. */
function paint(
  shares: Map<Cluster, Float32Array>,
  { columns, rows }: Grid,
  { shallows, coast }: AnimeGraph['land'],
  theme: keyof ThemeColor,
  background: string,
): OffscreenCanvas {
  const picture = new OffscreenCanvas(columns, rows)
  const context = picture.getContext('2d')!
  const image = context.createImageData(columns, rows)
  const lands = [...shares].map(([{ color }, share]) => {
    context.fillStyle = mix(background, color[theme], LAND)
    context.fillRect(0, 0, 1, 1)
    return { share, color: context.getImageData(0, 0, 1, 1).data }
  })
  for (let index = 0; index < rows * columns; index++) {
    let [total, weight, red, green, blue] = [0, 0, 0, 0, 0]
    for (const { share, color } of lands) {
      const own = share[index] ** BORDER
      total += share[index]
      weight += own
      red += own * color[0]
      green += own * color[1]
      blue += own * color[2]
    }
    const land = Math.max(0, Math.min(1, (total - shallows) / (coast - shallows)))
    image.data.set([red / weight, green / weight, blue / weight, 255 * land], 4 * index)
  }
  context.putImageData(image, 0, 0)
  return picture
}
