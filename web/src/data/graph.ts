/** The form of graph.json, aniembed-graph/3 (web/README.md describes it), and its checks. */

import { CONSTANTS, type Constants } from '../taste/opinions'
import { forThemes, type ThemeColor } from './colors'
import { FileError } from './file'
import { findPictureOrigin, originOf } from './pictures'
import type { Language } from './settings'

export interface Anime {
  id: number
  title: string
  english: string | null
  japanese: string | null
  synonyms: string[]
  /** The title short enough for the map, and its English form; no two are alike. */
  label: string
  label_english: string
  mean: number | null
  /** Rank by number of members; 1 is the most popular. */
  popularity: number | null
  /** Absolute http(s) address on the graph's picture host, or null. */
  picture: string | null
  studios: string[]
  genres: string[]
  year: number | null
  /** `2026-fall` */
  season: string | null
  /** The age rating of MyAnimeList: g, pg, pg_13, r, r+ or rx. */
  rating: string | null
  media_type: string | null
  /** Titles that come right before this one. */
  prequels: number[]
  /** The first title of the same franchise; null if the file does not say. */
  franchise: number | null
  /** Nobody has scored it yet. */
  unscored: boolean
  /** It is not on the earlier map that this one follows. */
  new: boolean
  cluster: Cluster
  /** Middle of the mark on the drawn map, in units of the map's width; y points upwards. */
  x: number
  y: number
  /** Radius of the mark in the same units. */
  radius: number
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

/** `model` of graph.json, in the order of the titles. */
export interface RecommendationModel {
  /** Mean scores, 0 to 10. */
  mean: number[]
  /** Relative popularity, positive, about 1 on average. */
  popularity: number[]
  /** CONSTANTS of aniembed/taste/query.py. */
  constants: Constants
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
  /** What recommendations need besides the vectors. */
  model: RecommendationModel
  /** Number of lists that the vectors were trained on. */
  lists: number
  /**
   * The one host that covers are taken from, as an origin (`https://host`); null if the file names no
   * covers.
   */
  pictureOrigin: string | null
  /**
   * How the drawn map has its land: standard deviation with which a title spreads its own, in mean distances of
   * titles; how much of it makes shallows, and land. A title by itself has 1 in its middle.
   */
  land: { shore: number; shallows: number; coast: number }
  /** Of the names on the drawn map. */
  language: Language
}

const FORMAT = 'aniembed-graph/3'

type Json = Record<string, unknown>
type Check = (value: unknown) => boolean

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText: Check = (value) => typeof value === 'string' && value.trim() !== ''
const isWhole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isBetween =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most
const isList =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

const orAbsent: Check = (value) => value === undefined || typeof value === 'boolean'

/** A title as the file has it, once TITLE has checked it. */
interface Entry extends Omit<Anime, 'cluster' | 'radius'> {
  cluster: number
  r: number
}

const TITLE: Record<keyof Entry, Check> = {
  id: isWhole,
  title: isText,
  english: orNull(isText),
  japanese: orNull(isText),
  synonyms: isList(isText),
  label: isText,
  label_english: isText,
  mean: orNull(isBetween(1, 10)),
  popularity: orNull(isWhole),
  picture: orNull(isText),
  studios: isList(isText),
  genres: isList(isText),
  year: orNull(isWhole),
  season: orNull(isText),
  rating: orNull(isText),
  media_type: orNull(isText),
  prequels: orNull(isList(isWhole)),
  franchise: orNull(isWhole),
  unscored: orAbsent,
  new: orAbsent,
  cluster: isWhole,
  // In widths of the map.
  x: isBetween(-1, 2),
  y: isBetween(-10, 10),
  r: isBetween(0, 1),
}

const isColor: Check = (value) => typeof value === 'string' && /^#[0-9a-f]{6}$/.test(value)
const CLUSTER = { id: isWhole, name: isText, color: isColor }

const LAND = { shore: isBetween(0.01, 10), shallows: isBetween(0, 1), coast: isBetween(0.01, 10) }

const GRAPH = {
  n_embedding: isBetween(1, 1e4),
  lists: isWhole,
  clusters: Array.isArray,
  anime: Array.isArray,
  neighbours: isObject,
  vectors: isText,
  model: isObject,
  land: isObject,
  settings: isObject,
}

/** Throw FileError where a field is not what `fields` says; `where` begins the sentence. */
function check(value: unknown, fields: Record<string, Check>, where: string) {
  if (!isObject(value)) throw new FileError(`${where} is not an object.`)
  for (const [name, isRight] of Object.entries(fields))
    if (!isRight(value[name])) throw new FileError(`${where} has no valid "${name}".`)
}

/** Return the file as an object; throw FileError unless it is a graph of this format. */
function parseFile(text: string): Json {
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
  check(json, GRAPH, 'The graph')
  check(json.land, LAND, 'The land of the graph')
  if ((json.anime as []).length === 0) throw new FileError('The graph has no titles.')
  return json
}

/** Return the vectors, `rows` x `columns`, from base64 of little-endian float32; each has length 1 or 0. */
function decodeVectors(encoded: string, rows: number, columns: number): Float32Array {
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
  const view = new DataView(Uint8Array.from(binary, (character) => character.charCodeAt(0)).buffer)
  const vectors = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    let square = 0
    for (let k = row * columns; k < (row + 1) * columns; k++) {
      vectors[k] = view.getFloat32(4 * k, true)
      square += vectors[k] ** 2
    }
    if (square !== 0 && !(Math.abs(square - 1) < 1e-3))
      throw new FileError(`The vector of title number ${row + 1} of the graph does not have length 1.`)
  }
  return vectors
}

/** Return the clusters by id, with size 0; parseTitles counts. */
function parseClusters(entries: unknown[]): Map<number, Cluster> {
  const clusters = new Map<number, Cluster>()
  for (const entry of entries) {
    check(entry, CLUSTER, 'A cluster of the graph')
    const { id, name, color } = entry as { id: number; name: string; color: string }
    if (clusters.has(id)) throw new FileError(`The graph has the cluster ${id} twice.`)
    clusters.set(id, { id, name, size: 0, color: forThemes(color) })
  }
  return clusters
}

/** Return the titles, and the host of their covers. */
function parseTitles(entries: unknown[], clusters: Map<number, Cluster>) {
  const byId = new Map<number, Anime>()
  entries.forEach((entry, index) => {
    const where = `Title number ${index + 1} of the graph`
    check(entry, TITLE, where)
    const { cluster: clusterId, r, ...rest } = entry as Entry
    const cluster = clusters.get(clusterId)
    if (!cluster) throw new FileError(`${where} is in cluster ${clusterId}, which the graph does not have.`)
    if (byId.has(rest.id)) throw new FileError(`The graph has the title ${rest.id} twice.`)
    cluster.size++
    const english = rest.english === rest.title ? null : rest.english
    byId.set(rest.id, {
      ...rest,
      english,
      prequels: rest.prequels ?? [],
      unscored: rest.unscored === true,
      new: rest.new === true,
      cluster,
      radius: r,
    })
  })
  const anime = [...byId.values()]
  const pictureOrigin = findPictureOrigin(anime.map(({ picture }) => picture))
  for (const title of anime) if (originOf(title.picture) !== pictureOrigin) title.picture = null
  return { anime, byId, pictureOrigin }
}

/** Return the neighbours of every title. */
function parseNeighbours(listed: Json, byId: Map<number, Anime>) {
  const neighbours = new Map<number, Neighbour[]>()
  for (const id of byId.keys()) {
    const isNeighbour: Check = (entry) =>
      Array.isArray(entry) && byId.has(entry[0]) && entry[0] !== id && isBetween(-1, 1)(entry[1])
    if (!isList(isNeighbour)(listed[id]))
      throw new FileError(`The neighbours of the title ${id} of the graph are not valid.`)
    const entries = listed[id] as [id: number, similarity: number][]
    neighbours.set(
      id,
      entries.map(([id, similarity]) => ({ id, similarity })),
    )
  }
  return neighbours
}

/** Return the model; throw FileError unless it is complete. */
function parseModel(value: unknown, titles: number): RecommendationModel {
  const isOfTitles =
    (check: Check): Check =>
    (list) =>
      isList(check)(list) && (list as []).length === titles
  check(
    value,
    {
      mean: isOfTitles(isBetween(0, 10)),
      popularity: isOfTitles(isBetween(1e-6, 1e6)),
      constants: isObject,
    },
    'The model of the graph',
  )
  const isConstant = isBetween(1e-6, 1e3)
  const constants = Object.fromEntries(CONSTANTS.map((name) => [name, isConstant]))
  const { constants: values } = value as Json
  check(values, { ...constants, disliked_weight: isBetween(-1, 0) }, 'The model of the graph')
  return value as RecommendationModel
}

/** Return the graph in `text`; throw FileError if it is not one. All of it is checked here, and then trusted. */
export function parseGraph(text: string): AnimeGraph {
  const json = parseFile(text)
  const clusters = parseClusters(json.clusters as unknown[])
  const { anime, byId, pictureOrigin } = parseTitles(json.anime as unknown[], clusters)
  const nEmbedding = json.n_embedding as number
  return {
    clusters: [...clusters.values()].filter((cluster) => cluster.size > 0),
    anime,
    byId,
    neighbours: parseNeighbours(json.neighbours as Json, byId),
    pictureOrigin,
    nEmbedding,
    vectors: decodeVectors(json.vectors as string, anime.length, nEmbedding),
    model: parseModel(json.model, anime.length),
    lists: json.lists as number,
    land: json.land as AnimeGraph['land'],
    language: (json.settings as Json).TITLES === 'english' ? 'english' : 'romaji',
  }
}

/** Return all titles, the most popular first; those of unknown popularity last, in the order of the file. */
export function byPopularity(anime: Anime[]): Anime[] {
  return [...anime].sort((a, b) => (a.popularity ?? Number.MAX_VALUE) - (b.popularity ?? Number.MAX_VALUE))
}

export const malAddress = (id: number) => `https://myanimelist.net/anime/${id}`
