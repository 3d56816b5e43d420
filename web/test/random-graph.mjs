/** A generated graph for tests. */
import { readFileSync } from 'node:fs'

/**
 * Return a function that gives numbers in [0, 1), the same in every run (a linear congruential generator).
 */
export function randomNumbers(seed) {
  let state = seed
  return () => {
    // Math.imul, because a product of floats is rounded: the numbers would soon repeat.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** By Box and Muller. */
const normalNumbers = (random) => () =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

const GROUPS = 12
const NEIGHBOURS = 10
/** Neighbours are searched among so many titles of the same group: the page does not need the true ones. */
const CANDIDATES = 200
const NAMES =
  'Kaze Hana Sora Tsuki Yume Hikari Umi Kage Yuki Hoshi Neko Mahou Senshi Gakuen Monogatari Densetsu'.split(
    ' ',
  )

const COLORS =
  '#cc6677 #332288 #ddcc77 #117733 #88ccee #882255 #44aa99 #999933 #aa4499 #7e4049 #1f1554 #897f4a'.split(' ')
/** CONSTANTS of aniembed/taste/query.py, as graph.json has them. */
const { constants } = JSON.parse(readFileSync(new URL('../sample/graph.json', import.meta.url), 'utf8')).model

const makeTitle = (row, id, covers, random) => ({
  id,
  title: `${NAMES[row % 16]} no ${NAMES[(row >> 4) % 16]} ${row}`,
  english: row % 3 ? `Tale ${row} of the ${NAMES[(row * 7) % 16]}` : null,
  japanese: row % 2 ? `第${row}話` : null,
  synonyms: row % 5 ? [] : [`NNK ${row}`],
  mean: row % 17 ? Math.round(100 * (6 + 3 * random())) / 100 : null,
  popularity: row + 1,
  picture: covers && `${covers}${id}.png`,
  studios: [`Studio ${row % 40}`],
  genres: ['Drama', 'Fantasy', 'Comedy', 'Action'].filter((_, k) => (row >> k) & 1),
  year: row % 19 ? 1985 + (row % 40) : null,
  season: row % 19 ? `${1985 + (row % 40)}-${['winter', 'spring', 'summer', 'fall'][row % 4]}` : null,
  rating: ['g', 'pg', 'pg_13', 'r', null][row % 5],
  media_type: row % 23 ? ['tv', 'movie', 'ova'][row % 3] : null,
  // Title 5 of seven continues the one before, title 6 both before.
  prequels: [[id - 3], [id - 3, id - 6]][(row % 7) - 5] ?? [],
  franchise: row % 7 > 4 ? id - 3 * ((row % 7) - 4) : id,
})

/** Radius of the mark of a title as similarity_map.py draws it, the larger the more popular; a share of the map's width. */
const radiusOf = (row, count) => ((0.4 + 0.66 * (1 - row / count) ** 2) * 0.1) / Math.sqrt(count)

/** Return neighbours by id: the most similar of the next CANDIDATES titles of the same group. */
function makeNeighbours(anime, vectors, nEmbedding) {
  const similarity = (a, b) => {
    let sum = 0
    for (let d = 0; d < nEmbedding; d++) sum += vectors[a * nEmbedding + d] * vectors[b * nEmbedding + d]
    return Math.round(sum * 1e4) / 1e4
  }
  /** @type {Record<string, unknown[]>} */
  const neighbours = {}
  for (let group = 0; group < GROUPS; group++) {
    const rows = [...anime.keys()].filter((row) => anime[row].cluster === group)
    for (const [k, row] of rows.entries()) {
      const others = Array.from(
        { length: Math.min(CANDIDATES, rows.length - 1) },
        (_, step) => rows[(k + 1 + step) % rows.length],
      )
      neighbours[anime[row].id] = others
        .map((other) => [anime[other].id, similarity(row, other)])
        .sort((a, b) => b[1] - a[1])
        .slice(0, NEIGHBOURS)
    }
  }
  return neighbours
}

/**
 * Return a graph of `count` titles in planted groups, as the object that graph.json holds.
 * @param {number} count
 * @param {{ covers?: string | null, nEmbedding?: number }} options covers: the address of their host
 */
export function makeGraph(count, { covers = null, nEmbedding = 50 } = {}) {
  const random = randomNumbers(count)
  const normal = normalNumbers(random)
  const centres = Array.from({ length: GROUPS }, () => Array.from({ length: nEmbedding }, normal))
  const middles = Array.from({ length: GROUPS }, () => [60 * random(), 60 * random()])
  const vectors = new Float32Array(count * nEmbedding)
  const anime = Array.from({ length: count }, (_, row) => {
    const cluster = Math.floor(random() ** 1.5 * GROUPS)
    const vector = centres[cluster].map((value) => value + 0.8 * normal())
    const length = Math.hypot(...vector)
    for (const [d, value] of vector.entries()) vectors[row * nEmbedding + d] = value / length
    const [x, y] = middles[cluster].map((middle) => 0.2 + 0.01 * (middle + 6 * normal()))
    const title = makeTitle(row, 3 * row + 1, covers, random)
    const labels = { label: title.title, label_english: title.english ?? title.title }
    return { ...title, ...labels, cluster, x, y, r: radiusOf(row, count) }
  })
  return {
    format: 'aniembed-graph/3',
    n_embedding: nEmbedding,
    lists: 50_000,
    settings: { SEED: 7 },
    land: { shore: 0.26, shallows: 0.15, coast: 0.4 },
    model: {
      mean: anime.map(({ mean }) => mean ?? 7),
      popularity: anime.map((_, row) => 2 / (1 + (10 * row) / count)),
      constants: { ...constants },
    },
    clusters: Array.from({ length: GROUPS }, (_, id) => ({
      id,
      name: `Group ${id}`,
      size: anime.filter(({ cluster }) => cluster === id).length,
      color: COLORS[id],
    })),
    anime,
    neighbours: makeNeighbours(anime, vectors, nEmbedding),
    vectors: Buffer.from(vectors.buffer).toString('base64'),
  }
}
