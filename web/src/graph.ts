/** graph.json as embeddings.py writes it: fetched with a bound on its size, checked, and made ready for the page. */
import { forThemes, type ThemeColor } from './colors'
import { FileError, readText, UNREADABLE } from './file'
import type { RecommendationModel } from './recommend'

export interface Anime {
  id: number
  title: string
  english: string | null
  mean: number | null
  /** Rank by number of members, 1 is the most popular. */
  popularity: number | null
  /** Absolute http(s) address on the graph's picture host, or null. */
  picture: string | null
  studios: string[]
  genres: string[]
  year: number | null
  mediaType: string | null
  x: number
  y: number
  cluster: Cluster
}

export interface Cluster {
  id: number
  name: string
  size: number
  color: ThemeColor
}

interface Neighbour {
  id: number
  similarity: number
}

export interface AnimeGraph {
  clusters: Cluster[]
  /** In the order of the file, which is the order of the rows of `vectors`. */
  anime: Anime[]
  byId: Map<number, Anime>
  neighbours: Map<number, Neighbour[]>
  /** anime.length rows of DIMENSIONS numbers. */
  vectors: Float32Array
  /** What recommending needs besides the vectors; null if the file does not hold it. */
  model: RecommendationModel | null
  /** The one host that covers are taken from, as an origin (`https://host`); null if the file names no covers. */
  pictureOrigin: string | null
  /** Sentences about what was left out of a file that is otherwise good. */
  notices: string[]
}

const FORMAT = 'aniembed-graph/1'
export const DIMENSIONS = 50

/** Bytes. 20,000 titles take about 13 MB, so this leaves room for every title that MyAnimeList has. */
const LARGEST_FILE = 128 * 2 ** 20
/** From the origin; embeddings.py writes places in [0, 1]. One far out would press all others into a point. */
const FARTHEST = 1e6

/** Colours by Okabe and Ito, then by Tol: told apart by colour-blind eyes, and seen on dark and on light. */
const PALETTE = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#999933',
  '#aa4499',
  '#44aa99',
  '#bb5566',
  '#7a7fd0',
  '#ddaa33',
  '#8f7355',
  '#66aa55',
  '#b07cc6',
  '#5f8f99',
]
const OTHER_COLOR = '#8a8f98'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOrNull = (value: unknown) => (typeof value === 'string' && value.trim() ? value : null)

const numberOrNull = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : null)

const texts = (value: unknown) =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []

/** Fetches and parses `address`; FileError (a sentence) for whatever prevents that. */
export async function loadGraph(address: string, onBytes: (bytes: number) => void): Promise<AnimeGraph> {
  let response: Response
  try {
    // A host that says nothing of how long its files hold leaves that to the browser, which would keep an old graph for months.
    response = await fetch(address, { cache: 'no-cache' })
  } catch {
    throw new FileError('graph.json could not be fetched: the place it lies at does not answer.')
  }
  if (response.status === 404)
    throw new FileError(
      'There is no graph.json beside this page. Run python3 embeddings.py and put output/graph.json there.',
    )
  if (!response.ok || !response.body)
    throw new FileError(`graph.json could not be fetched: the host answered ${response.status}.`)
  const text = await readText(
    response.body,
    LARGEST_FILE,
    'graph.json broke off on its way; reload the page to fetch it again.',
    onBytes,
  )
  performance.mark('graph-arrived')
  return parseGraph(text, document.baseURI)
}

/** The same for a file that the user chose. */
export async function readGraphFile(file: Blob): Promise<AnimeGraph> {
  return parseGraph(await readText(file.stream(), LARGEST_FILE, UNREADABLE), document.baseURI)
}

function decodeVectors(encoded: unknown, rows: number): Float32Array {
  if (typeof encoded !== 'string')
    throw new FileError('The graph has no vectors, so nothing can be recommended from it; it was not opened.')
  let binary: string
  try {
    binary = atob(encoded)
  } catch {
    throw new FileError('The vectors of the graph are not valid base64.')
  }
  const expected = rows * DIMENSIONS * 4
  if (binary.length !== expected)
    throw new FileError(
      `The vectors of the graph hold ${binary.length} bytes, where ${rows} titles of ${DIMENSIONS} numbers take ${expected}.`,
    )
  const bytes = new Uint8Array(expected)
  for (let k = 0; k < expected; k++) bytes[k] = binary.charCodeAt(k)
  const view = new DataView(bytes.buffer)
  const vectors = new Float32Array(rows * DIMENSIONS)
  for (let k = 0; k < vectors.length; k++) {
    const value = view.getFloat32(4 * k, true)
    if (!Number.isFinite(value))
      throw new FileError('The vectors of the graph hold a number that is not finite.')
    vectors[k] = value
  }
  return vectors
}

function parseModel(value: unknown, titles: number): RecommendationModel | null {
  const numbers = (list: unknown, length: number): list is number[] =>
    Array.isArray(list) && list.length === length && list.every(Number.isFinite)
  if (!isObject(value)) return null
  const { mean, popularity, whitening } = value
  const whole =
    numbers(mean, titles) &&
    mean.every((m) => m >= 0 && m <= 10) &&
    numbers(popularity, titles) &&
    popularity.every((p) => p > 0) &&
    Array.isArray(whitening) &&
    whitening.length === DIMENSIONS &&
    whitening.every((row) => numbers(row, DIMENSIONS))
  return whole ? { mean, popularity, whitening: whitening as number[][] } : null
}

function parseClusters(value: unknown): Cluster[] {
  const clusters: Cluster[] = []
  for (const entry of Array.isArray(value) ? value : []) {
    if (!isObject(entry) || !Number.isSafeInteger(entry.id) || (entry.id as number) < 0)
      throw new FileError('A cluster of the graph has no id.')
    const id = entry.id as number
    if (clusters.some((other) => other.id === id))
      throw new FileError(`The graph holds the cluster ${id} twice.`)
    const color =
      typeof entry.color === 'string' && /^#[0-9a-f]{6}$/i.test(entry.color)
        ? entry.color
        : PALETTE[clusters.length % PALETTE.length]
    clusters.push({ id, name: textOrNull(entry.name) ?? `Cluster ${id}`, size: 0, color: forThemes(color) })
  }
  return clusters
}

/** The host that most pictures name. The others are left out, so that the page talks to one host and no more. */
function findPictureOrigin(pictures: (URL | null)[]): string | null {
  const counts = new Map<string, number>()
  for (const picture of pictures)
    if (picture) counts.set(picture.origin, (counts.get(picture.origin) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
}

function parsePicture(value: unknown, base: string): URL | null {
  if (typeof value !== 'string' || !URL.canParse(value, base)) return null
  const address = new URL(value, base)
  return address.protocol === 'https:' || address.protocol === 'http:' ? address : null
}

/** Throws FileError unless `text` is a graph of this format; relative pictures are taken against `base`. */
export function parseGraph(text: string, base: string): AnimeGraph {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new FileError(
      'The file is not a graph: it is no JSON. It should be the graph.json that embeddings.py writes.',
    )
  }
  if (!isObject(json) || typeof json.format !== 'string' || !json.format.startsWith('aniembed-graph/'))
    throw new FileError('The file is JSON but not a graph of AniEmbed: its "format" does not say so.')
  if (json.format !== FORMAT)
    throw new FileError(
      `The graph is of format ${json.format.slice(0, 40)}, and this page reads ${FORMAT}. Make both with the same version of AniEmbed.`,
    )
  if (!Array.isArray(json.anime) || json.anime.length === 0) throw new FileError('The graph holds no titles.')

  const notices: string[] = []
  const clusters = parseClusters(json.clusters)
  const clusterById = new Map(clusters.map((cluster) => [cluster.id, cluster]))
  const pictures = json.anime.map((entry) => (isObject(entry) ? parsePicture(entry.picture, base) : null))
  const pictureOrigin = findPictureOrigin(pictures)
  const anime: Anime[] = []
  const byId = new Map<number, Anime>()
  let other: Cluster | undefined
  json.anime.forEach((entry: unknown, position) => {
    const where = `Title number ${position + 1} of the graph`
    if (!isObject(entry) || !Number.isSafeInteger(entry.id) || (entry.id as number) <= 0)
      throw new FileError(`${where} has no MyAnimeList id.`)
    const id = entry.id as number
    const x = numberOrNull(entry.x),
      y = numberOrNull(entry.y),
      title = textOrNull(entry.title)
    if (title === null) throw new FileError(`${where} (id ${id}) has no title.`)
    if (x === null || y === null || Math.hypot(x, y) > FARTHEST)
      throw new FileError(`${where} (id ${id}) has no place on the map.`)
    if (byId.has(id)) throw new FileError(`The graph holds the title ${id} twice.`)
    let cluster = clusterById.get(entry.cluster as number)
    if (!cluster) {
      other ??= { id: -1, name: 'Other', size: 0, color: forThemes(OTHER_COLOR) }
      cluster = other
    }
    cluster.size++
    const picture = pictures[position]
    const english = textOrNull(entry.english)
    const node: Anime = {
      id,
      title,
      x,
      y,
      cluster,
      english: english === title ? null : english,
      mean: numberOrNull(entry.mean),
      popularity: numberOrNull(entry.popularity),
      picture: picture && picture.origin === pictureOrigin ? picture.href : null,
      studios: texts(entry.studios),
      genres: texts(entry.genres),
      year: numberOrNull(entry.year),
      mediaType: textOrNull(entry.media_type),
    }
    anime.push(node)
    byId.set(id, node)
  })
  if (other) clusters.push(other)

  const neighbours = new Map<number, Neighbour[]>()
  let missing = 0
  const listed = isObject(json.neighbours) ? json.neighbours : {}
  for (const { id } of anime) {
    const near: Neighbour[] = []
    const entries = listed[id]
    for (const entry of Array.isArray(entries) ? entries : []) {
      if (
        Array.isArray(entry) &&
        byId.has(entry[0]) &&
        entry[0] !== id &&
        Math.abs(numberOrNull(entry[1]) ?? Infinity) <= 1
      )
        near.push({ id: entry[0], similarity: entry[1] })
      else missing++
    }
    neighbours.set(id, near)
  }
  if (missing > 0)
    notices.push(
      `${missing} ${missing === 1 ? 'neighbour' : 'neighbours'} in the file could not be used (no such title, or no similarity) and ${missing === 1 ? 'is' : 'are'} left out.`,
    )

  return {
    clusters: clusters.filter((cluster) => cluster.size > 0),
    anime,
    byId,
    neighbours,
    pictureOrigin,
    notices,
    vectors: decodeVectors(json.vectors, anime.length),
    model: parseModel(isObject(json.settings) ? json.settings.recommend : null, anime.length),
  }
}

/** All titles from the most popular to the least; those of unknown popularity come last, in the order of the file. */
export function byPopularity(anime: Anime[]): Anime[] {
  return [...anime].sort((a, b) => (a.popularity ?? Number.MAX_VALUE) - (b.popularity ?? Number.MAX_VALUE))
}

export const malAddress = (id: number) => `https://myanimelist.net/anime/${id}`
