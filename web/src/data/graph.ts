/** The form of graph.json, aniembed-graph/2 (web/README.md describes it), and its checks. */

import { parseModel, type RecommendationModel } from '../taste/query'
import { forThemes, type ThemeColor } from './colors'
import { FileError } from './file'
import { findPictureOrigin, parsePicture } from './pictures'
import type { Language } from './settings'

export interface Anime {
  id: number
  title: string
  english: string | null
  japanese: string | null
  synonyms: string[]
  mean: number | null
  /** Rank by number of members; 1 is the most popular. */
  popularity: number | null
  /** Absolute http(s) address on the graph's picture host, or null. */
  picture: string | null
  studios: string[]
  genres: string[]
  year: number | null
  mediaType: string | null
  /** Titles that come right before this one. */
  prequels: number[]
  /** The first title of the same franchise; null if the file does not say. */
  franchise: number | null
  cluster: Cluster
  /** Middle of the mark on the drawn map, in units of the map's width; y points upwards. */
  x: number
  y: number
  /** Radius of the mark in the same units, or null. */
  radius: number | null
}

export interface Cluster {
  id: number
  name: string
  /** Number of titles. */
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
  /** Length of one vector. */
  nEmbedding: number
  /** anime.length rows of nEmbedding numbers. */
  vectors: Float32Array
  /** What recommendations need besides the vectors; null if the file does not hold it. */
  model: RecommendationModel | null
  /** Number of lists that the vectors were trained on, or null. */
  lists: number | null
  /**
   * The one host that covers are taken from, as an origin (`https://host`); null if the file names no
   * covers.
   */
  pictureOrigin: string | null
  /** Sentences about what was left out of the file. */
  notices: string[]
  /** Of the names on the drawn map. */
  language: Language
}

const FORMAT = 'aniembed-graph/2'

/** Longest vector that is read. */
const MAX_EMBEDDING = 4096
/**
 * Largest distance from the origin. Maps are about 1 wide; one title far out would press all others into a
 * point.
 */
const MAX_DISTANCE = 1e6

/** By Okabe and Ito, then by Tol: distinct for colour-blind eyes, and visible on dark and on light. */
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
  Array.isArray(value)
    ? value.filter((entry): entry is string => typeof entry === 'string' && entry.trim() !== '')
    : []

const isId = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least

/** Return the file as an object; throw FileError unless it is a graph of this format. */
function parseFile(text: string): Json & { anime: unknown[] } {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new FileError('The file is not JSON. Choose the graph.json that similarity_map.py writes.')
  }
  if (!isObject(json) || typeof json.format !== 'string' || !json.format.startsWith('aniembed-graph/'))
    throw new FileError('The file is JSON, but its "format" is not that of an AniEmbed graph.')
  if (json.format !== FORMAT)
    throw new FileError(
      `The graph has the format ${json.format.slice(0, 40)}; this page reads ${FORMAT}. Use the page and the graph of the same version of AniEmbed.`,
    )
  if (!Array.isArray(json.anime) || json.anime.length === 0) throw new FileError('The graph has no titles.')
  return json as Json & { anime: unknown[] }
}

/** Return the vectors, `rows` x `columns`, from base64 of little-endian float32. */
function decodeVectors(encoded: unknown, rows: number, columns: number): Float32Array {
  if (typeof encoded !== 'string') throw new FileError('The graph has no vectors.')
  let binary: string
  try {
    binary = atob(encoded)
  } catch {
    throw new FileError('The vectors of the graph are not valid base64.')
  }
  const expected = rows * columns * 4
  if (binary.length !== expected)
    throw new FileError(
      `The vectors of the graph have ${binary.length} bytes; ${rows} titles of ${columns} numbers need ${expected}.`,
    )
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  const view = new DataView(bytes.buffer)
  const vectors = new Float32Array(rows * columns)
  for (let k = 0; k < vectors.length; k++) {
    vectors[k] = view.getFloat32(4 * k, true)
    if (!Number.isFinite(vectors[k]))
      throw new FileError('The vectors of the graph contain a number that is not finite.')
  }
  return vectors
}

/** Return the clusters by id, with size 0; parseTitles counts. */
function parseClusters(value: unknown): Map<number, Cluster> {
  const clusters = new Map<number, Cluster>()
  for (const entry of Array.isArray(value) ? value : []) {
    if (!isObject(entry) || !isId(entry.id, 0)) throw new FileError('A cluster of the graph has no id.')
    const { id } = entry
    if (clusters.has(id)) throw new FileError(`The graph has the cluster ${id} twice.`)
    const color =
      typeof entry.color === 'string' && /^#[0-9a-f]{6}$/i.test(entry.color)
        ? entry.color
        : PALETTE[clusters.size % PALETTE.length]
    clusters.set(id, {
      id,
      name: textOrNull(entry.name) ?? `Cluster ${id}`,
      size: 0,
      color: forThemes(color),
    })
  }
  return clusters
}

/** Return one title; `where` names it in errors. */
function parseTitle(entry: unknown, where: string): Omit<Anime, 'picture' | 'cluster'> {
  if (!isObject(entry) || !isId(entry.id, 1)) throw new FileError(`${where} has no MyAnimeList id.`)
  const { id } = entry
  const x = numberOrNull(entry.x)
  const y = numberOrNull(entry.y)
  const radius = numberOrNull(entry.r)
  const title = textOrNull(entry.title)
  if (title === null) throw new FileError(`${where} (id ${id}) has no title.`)
  if (x === null || y === null || Math.hypot(x, y) > MAX_DISTANCE)
    throw new FileError(`${where} (id ${id}) has no position on the map.`)
  const english = textOrNull(entry.english)
  return {
    id,
    title,
    english: english === title ? null : english,
    japanese: textOrNull(entry.japanese),
    synonyms: texts(entry.synonyms),
    mean: numberOrNull(entry.mean),
    popularity: numberOrNull(entry.popularity),
    studios: texts(entry.studios),
    genres: texts(entry.genres),
    year: numberOrNull(entry.year),
    mediaType: textOrNull(entry.media_type),
    prequels: Array.isArray(entry.prequels) ? entry.prequels.filter((id) => isId(id, 1)) : [],
    franchise: isId(entry.franchise, 1) ? entry.franchise : null,
    x,
    y,
    radius: radius !== null && radius > 0 && radius <= MAX_DISTANCE ? radius : null,
  }
}

/** Return the titles. Adds a cluster "Other" for titles without a known cluster. */
function parseTitles(entries: unknown[], clusters: Map<number, Cluster>, base: string) {
  const pictures = entries.map((entry) => (isObject(entry) ? parsePicture(entry.picture, base) : null))
  const pictureOrigin = findPictureOrigin(pictures)
  const byId = new Map<number, Anime>()
  entries.forEach((entry, index) => {
    const title = parseTitle(entry, `Title number ${index + 1} of the graph`)
    if (byId.has(title.id)) throw new FileError(`The graph has the title ${title.id} twice.`)
    const cluster = clusters.get((entry as Json).cluster as number) ?? otherCluster(clusters)
    cluster.size++
    const picture = pictures[index]
    byId.set(title.id, {
      ...title,
      cluster,
      picture: picture?.origin === pictureOrigin ? picture!.href : null,
    })
  })
  return { byId, pictureOrigin }
}

function otherCluster(clusters: Map<number, Cluster>): Cluster {
  const other = clusters.get(-1) ?? { id: -1, name: 'Other', size: 0, color: forThemes(OTHER_COLOR) }
  clusters.set(-1, other)
  return other
}

/** Return the neighbours of every title, and how many entries cannot be used. */
function parseNeighbours(value: unknown, byId: Map<number, Anime>) {
  const neighbours = new Map<number, Neighbour[]>()
  const listed = isObject(value) ? value : {}
  let unusable = 0
  for (const id of byId.keys()) {
    const entries = listed[id]
    const near: Neighbour[] = []
    for (const entry of Array.isArray(entries) ? entries : []) {
      const usable =
        Array.isArray(entry) &&
        byId.has(entry[0]) &&
        entry[0] !== id &&
        Math.abs(numberOrNull(entry[1]) ?? Number.POSITIVE_INFINITY) <= 1
      if (usable) near.push({ id: entry[0], similarity: entry[1] })
      else unusable++
    }
    neighbours.set(id, near)
  }
  return { neighbours, unusable }
}

/**
 * Return the graph in `text`; throw FileError if it is not one. `base` resolves relative addresses of
 * pictures.
 */
export function parseGraph(text: string, base: string): AnimeGraph {
  const json = parseFile(text)
  const nEmbedding = json.n_embedding
  if (!isId(nEmbedding, 1) || nEmbedding > MAX_EMBEDDING)
    throw new FileError(`The graph's n_embedding is not a whole number from 1 to ${MAX_EMBEDDING}.`)
  const clusters = parseClusters(json.clusters)
  const { byId, pictureOrigin } = parseTitles(json.anime, clusters, base)
  const { neighbours, unusable } = parseNeighbours(json.neighbours, byId)
  const notices: string[] = []
  if (unusable > 0)
    notices.push(
      `${unusable} ${unusable === 1 ? 'neighbour' : 'neighbours'} in the file could not be used: no such title, or no similarity.`,
    )
  return {
    clusters: [...clusters.values()].filter((cluster) => cluster.size > 0),
    anime: [...byId.values()],
    byId,
    neighbours,
    pictureOrigin,
    notices,
    nEmbedding,
    vectors: decodeVectors(json.vectors, byId.size, nEmbedding),
    model: parseModel(json.model, byId.size),
    lists: isId(json.lists, 1) ? json.lists : null,
    language: isObject(json.settings) && json.settings.TITLES === 'english' ? 'english' : 'romaji',
  }
}

/** Return all titles, the most popular first; those of unknown popularity last, in the order of the file. */
export function byPopularity(anime: Anime[]): Anime[] {
  return [...anime].sort((a, b) => (a.popularity ?? Number.MAX_VALUE) - (b.popularity ?? Number.MAX_VALUE))
}

export const malAddress = (id: number) => `https://myanimelist.net/anime/${id}`
