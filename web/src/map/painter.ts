/** Draws everything on the map but the marks: lines, trail, rings, cross and names. */
import type Sigma from 'sigma'
import { mix, type ThemeColor } from '../data/colors'
import type { Anime, AnimeGraph } from '../data/graph'
import { clamp, type Mark, type Point } from './geometry'
import { type Land, makeLand } from './land'
import type { Marks, Visible } from './marks'
import { fontsFor, Names } from './names'
import { drawOwnMark, RING } from './ownMarks'
import type { View } from './view'

/** Where a cluster's name may be, in pixels from the middle of its titles; the nearest first. */
const CLUSTER_SHIFTS = [0, -11, 11, -22, 22, -33, 33, -44, 44, -66, 66, -88, 88]
  .flatMap((y) => [0, -20, 20, -40, 40, -60, 60, -80, 80, -110, 110].map((x) => ({ x, y })))
  .sort((a, b) => Math.hypot(a.x, a.y) - Math.hypot(b.x, b.y))
/** The camera's ratio below which there are no names of clusters. */
const CLUSTER_RATIO = 0.3
/** Titles that are named on any map while nothing is in focus, and square pixels for each further one. */
const LEAST_NAMES = 12
const AREA_PER_NAME = 9000
/** The same for names of clusters. */
const LEAST_CLUSTERS = 2
const AREA_PER_CLUSTER = 100_000
/** Most titles that are tried for a name in one frame. */
const MAX_TRIED = 600
/** Share of the named titles, the most popular, that are named before the clusters. */
const FIRST_SHARE = 1 / 4
/** Longest lines in pixels from marks to the names of the most popular titles, and of the others. */
const LEADER = 70
const SHORT_LEADER = 28
/** So many of the others are tried for a line; more would cost more than a frame has. */
const MAX_WITH_LINES = 80
/** Shortest step of the trail, in pixels, that gets an arrow. */
const MIN_ARROW = 40
const CROSS = 10
/** Share of the radius that is empty in the disc of a title without any score. */
const HOLLOW = 0.55
/** Pixels around a small disc in a crowd that its outline takes, where it is named. */
const OUTLINE = 2.5

interface ClusterCentre extends Point {
  id: number
  name: string
  color: ThemeColor
}

/** Letters of the title in focus; it has more room than the others. */
const MAX_FOCUS = 44
const focusName = ({ title, label }: Anime) => (title.length <= MAX_FOCUS ? title : label)

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]

/** Points of a cluster that are looked at where its heart is sought. */
const SAMPLE = 100

/** Return the point with half of all others nearest to it: in a cluster of several parts, it lies in the largest. */
function heart(points: { x: number; y: number }[]): { x: number; y: number } {
  const step = Math.ceil(points.length / SAMPLE)
  const some = points.filter((_, index) => index % step === 0)
  const spreads = some.map(({ x, y }) => median(some.map((other) => Math.hypot(other.x - x, other.y - y))))
  const { x, y } = some[spreads.indexOf(Math.min(...spreads))]
  return { x, y }
}

export class Painter {
  private clusterCentres: ClusterCentre[]
  /** The land, and for what it was made. */
  private land: { key: string; land: Land | null } | null = null

  constructor(
    private sigma: Sigma,
    private graph: AnimeGraph,
    private view: View,
    private marks: Marks,
  ) {
    const bySize = [...graph.clusters].sort((a, b) => b.size - a.size)
    this.clusterCentres = bySize.map(({ id, name, color }) => {
      const points = graph.anime
        .filter(({ cluster }) => cluster.id === id)
        .map((anime) => sigma.getNodeDisplayData(anime.id)!)
      return { id, name, color, ...heart(points) }
    })
  }

  private get fonts() {
    return fontsFor(this.sigma.getDimensions().width)
  }

  /** The title in focus: the hovered one, else the selected one. */
  private get focus(): Anime | null {
    const id = this.view.hovered ?? this.view.selected
    return id === null ? null : this.graph.byId.get(id)!
  }

  /** Return how the list marks a title; beside a title in focus, what is faded is not marked. */
  private ownMark({ id }: Anime) {
    const { near, ownList } = this.view
    return near.size === 0 || near.has(id) ? ownList.marks.get(id) : undefined
  }

  /**
   * Draw one frame: names of the focus and its neighbours, else of clusters and of the most popular titles.
   */
  draw(visible: Visible[]) {
    this.drawLand()
    this.drawLines()
    const context = this.sigma.getCanvases().labels.getContext('2d')!
    const names = new Names(
      context,
      this.sigma.getDimensions(),
      this.view.colors.background,
      this.view.covered,
      visible.map(({ anime, mark }) =>
        this.ownMark(anime) ? { ...mark, radius: mark.radius + RING } : mark,
      ),
      this.graph.anime.length,
    )
    for (const { anime, mark } of visible) {
      const own = this.ownMark(anime)
      if (own) drawOwnMark(context, mark, own, this.view.colors)
    }
    for (const { anime, mark } of visible) this.drawSign(context, anime, mark)
    if (this.view.underCross) this.drawCross(context, names, this.view.underCross)
    for (const id of new Set(this.view.trail))
      this.drawRing(context, this.marks.of(id), this.view.colors.accent, 2)
    if (this.focus) this.drawFocus(context, names, this.focus, visible)
    else {
      const { shownCluster } = this.view
      const { near } = this.view
      const shown = visible.filter(({ anime }) =>
        near.size > 0 ? near.has(anime.id) : [null, anime.cluster.id].includes(shownCluster),
      )
      // The most popular titles choose their places first, then the clusters, then the other titles.
      const { width, height } = this.sigma.getDimensions()
      const room = LEAST_NAMES + Math.round((width * height) / AREA_PER_NAME)
      const first = Math.ceil(room * FIRST_SHARE)
      // In a crowd there is room for them only over others.
      const spared = names.isCrowded ? new Set(shown.slice(0, first).map(({ mark }) => mark)) : null
      const written = this.drawTitles(names, shown.slice(0, first), room, { leader: LEADER, spared })
      this.drawClusterNames(names)
      const others = shown.slice(first, MAX_TRIED)
      const more = this.drawTitles(names, others.slice(0, MAX_WITH_LINES), room - written, {
        leader: SHORT_LEADER,
        spared,
      })
      this.drawTitles(names, others.slice(MAX_WITH_LINES), room - written - more)
    }
  }

  /** Draw a title that nobody has scored as a hollow disc, and one that is new on the map with a dot above it. */
  private drawSign(context: CanvasRenderingContext2D, anime: Anime, { x, y, radius }: Mark) {
    const { background, accent } = this.view.colors
    const dot = (y: number, size: number, color: string) => {
      context.beginPath()
      context.arc(x, y, size, 0, 2 * Math.PI)
      context.fillStyle = color
      context.fill()
    }
    if (anime.unscored) dot(y, HOLLOW * radius, background)
    if (anime.new) dot(y - radius - 3, 2.5, accent)
  }

  /** Draw the land of the clusters below all else; where colours mean something else, there is none. */
  private drawLand() {
    const { coloring, colors, hiddenClusters } = this.view
    if (coloring.scale) return
    const key = [colors.theme, ...hiddenClusters].join()
    if (this.land?.key !== key) {
      const places = this.graph.anime
        .filter(({ cluster }) => !hiddenClusters.has(cluster.id))
        .map(({ id, cluster }) => ({ ...this.marks.placeOf(id), cluster }))
      this.land = { key, land: makeLand(places, this.graph.land, colors.theme, colors.background) }
    }
    if (!this.land.land) return
    const { picture, box } = this.land.land
    const project = this.marks.projection()
    const from = project({ x: box.left, y: box.top })
    const to = project({ x: box.right, y: box.bottom })
    const context = this.sigma.getCanvases().edgeLabels.getContext('2d')!
    context.drawImage(picture, from.x, from.y, to.x - from.x, to.y - from.y)
  }

  /** Draw below the marks: lines to the neighbours, thicker for higher similarity, and the trail. */
  private drawLines() {
    // sigma clears this canvas, which lies below the marks, at every frame. The graph has no edges with labels.
    const context = this.sigma.getCanvases().edgeLabels.getContext('2d')!
    const { colors, trail } = this.view
    const { focus } = this
    for (const { id, similarity } of focus ? this.graph.neighbours.get(focus.id)! : []) {
      if (this.marks.isHidden(id)) continue
      const thickness = 0.8 + 2.2 * Math.max(0, similarity)
      const color = mix(colors.background, colors.text, 0.4)
      this.drawLine(context, this.marks.of(focus!.id), this.marks.of(id), color, thickness)
    }
    for (let k = 1; k < trail.length; k++) {
      const from = this.marks.of(trail[k - 1])
      const to = this.marks.of(trail[k])
      this.drawLine(context, from, to, colors.accent, 3)
      this.drawArrow(context, from, to)
    }
  }

  private drawLine(
    context: CanvasRenderingContext2D,
    from: Point,
    to: Point,
    color: string,
    thickness: number,
  ) {
    context.beginPath()
    context.moveTo(from.x, from.y)
    context.lineTo(to.x, to.y)
    context.strokeStyle = color
    context.fillStyle = color
    context.lineWidth = thickness
    context.stroke()
  }

  /** Draw an arrow in the middle of a line, in the colour of the line. */
  private drawArrow(context: CanvasRenderingContext2D, from: Point, to: Point) {
    const length = Math.hypot(to.x - from.x, to.y - from.y)
    if (length < MIN_ARROW) return
    const [x, y] = [(to.x - from.x) / length, (to.y - from.y) / length]
    const tip = { x: from.x + x * (length / 2 + 8), y: from.y + y * (length / 2 + 8) }
    context.beginPath()
    context.moveTo(tip.x, tip.y)
    context.lineTo(tip.x - 15 * x - 7 * y, tip.y - 15 * y + 7 * x)
    context.lineTo(tip.x - 15 * x + 7 * y, tip.y - 15 * y - 7 * x)
    context.fill()
  }

  private drawRing(
    context: CanvasRenderingContext2D,
    { x, y, radius }: Mark,
    color: string,
    thickness: number,
  ) {
    context.save()
    context.beginPath()
    context.arc(x, y, radius + thickness / 2 + 1, 0, 2 * Math.PI)
    context.lineWidth = thickness
    context.strokeStyle = color
    context.stroke()
    context.restore()
  }

  /** Draw the cross in the middle of the free area, and a ring around the title that Enter opens. */
  private drawCross(context: CanvasRenderingContext2D, names: Names, anime: Anime) {
    const { free, colors } = this.view
    const { width, height } = this.sigma.getDimensions()
    const cross = { x: free.x, y: free.y, radius: CROSS }
    names.keepFree(cross)
    context.fillStyle = colors.accent
    context.fillRect(cross.x - CROSS, cross.y - 1, 2 * CROSS, 2)
    context.fillRect(cross.x - 1, cross.y - CROSS, 2, 2 * CROSS)
    const mark = this.marks.of(anime.id)
    this.drawRing(context, mark, colors.accent, 3)
    const inSight = mark.x > 0 && mark.x < width && mark.y > 0 && mark.y < height
    names.useFont(this.fonts.focus)
    names.writeTitle(anime.label, inSight ? mark : cross, colors.text, 0, { must: true })
  }

  private drawFocus(context: CanvasRenderingContext2D, names: Names, focus: Anime, visible: Visible[]) {
    const { colors, hovered, near, trail } = this.view
    const mark = this.marks.of(focus.id)
    this.drawRing(context, mark, colors.text, 3)
    names.keepFree(mark)
    names.useFont(this.fonts.focus)
    // The card beside a hovered mark shows its title.
    if (hovered === null) names.writeTitle(focusName(focus), mark, colors.text, 2, { must: true })
    names.useFont(this.fonts.title)
    const isFaded = ({ anime: { id } }: Visible) => !near.has(id) && !trail.includes(id)
    const faded = new Set(visible.filter(isFaded).map(({ mark }) => mark))
    for (const id of near) {
      if (id === focus.id || this.marks.isHidden(id)) continue
      names.writeTitle(this.graph.byId.get(id)!.label, this.marks.of(id), colors.text, 2, {
        faded,
        leader: LEADER,
      })
    }
  }

  /** Write the names of the clusters over specks, or below larger marks. */
  private drawClusterNames(names: Names) {
    const context = this.sigma.getCanvases().edgeLabels.getContext('2d')!
    const { ratio } = this.sigma.getCamera()
    const { colors, hiddenClusters } = this.view
    if (ratio <= CLUSTER_RATIO) return
    const { width, height } = this.sigma.getDimensions()
    const project = this.marks.projection()
    names.useFont(this.fonts.cluster)
    const alpha = Math.min(1, (ratio - CLUSTER_RATIO) * 4)
    let room = LEAST_CLUSTERS + Math.round((width * height) / AREA_PER_CLUSTER)
    for (const { id, name, color, ...centre } of this.clusterCentres) {
      const { x, y } = project(centre)
      if (hiddenClusters.has(id) || x < 0 || x > width || y < 0 || y > height) continue
      if (room-- === 0) break
      const half = names.width(name) / 2 + 4
      const points = CLUSTER_SHIFTS.map((shift) => ({
        x: clamp(x + shift.x, half, width - half),
        y: y + 5 + shift.y,
      }))
      const style = { color: mix(color[colors.theme], colors.text, 0.45), height: 16, margin: 6, alpha }
      names.writeOverSpecks(context, name, points, style)
    }
  }

  /**
   * Name the titles, at most `room` of them. Return for how many there is room. In a crowd, an outline shows
   * which disc a name belongs to.
   */
  private drawTitles(
    names: Names,
    titles: Visible[],
    room: number,
    { leader = 0, spared = null as Set<Mark> | null } = {},
  ): number {
    const context = this.sigma.getCanvases().labels.getContext('2d')!
    const { colors, ownList } = this.view
    let written = 0
    names.useFont(this.fonts.title)
    for (const { anime, mark } of titles) {
      if (written >= room) break
      const own = ownList.marks.get(anime.id)
      const ring = own && !own.recommended ? RING : names.isLost(mark) ? OUTLINE : 0
      const outer = { ...mark, radius: mark.radius + ring }
      // No other name comes as near to it as its own.
      const around = { ...mark, radius: outer.radius + OUTLINE }
      if (names.isLost(mark) && names.isTaken(around)) continue
      if (!names.writeTitle(anime.label, outer, colors.text, 7, { leader, spared })) continue
      written++
      if (!names.isLost(mark)) continue
      names.keepFree(around)
      if (ring === OUTLINE) this.drawRing(context, mark, colors.text, 1)
    }
    return written
  }
}
