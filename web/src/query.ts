/** What the user's list says of every title: the formulas of aniembed/query.py, on what graph.json holds. */
import { type Entries, weigh } from './opinions'

/** `model` of graph.json: what the formulas need besides the vectors; arrays in the order of the titles. */
export interface RecommendationModel {
  /** Mean scores, 0 to 10. */
  mean: number[]
  /** Relative popularity, positive, about 1 on average. */
  popularity: number[]
  /** Square matrix, as wide as a vector. */
  whitening: number[][]
}

/** What does not depend on the user. */
export interface Recommender {
  ids: number[]
  rows: Map<number, number>
  model: RecommendationModel
  nEmbedding: number
  /** Whitened vectors of unit length, one row a title: y_i of the formula. */
  whitened: Float64Array
}

const SCORE_WEIGHT = 0.4
const MEAN_WEIGHT = 0.15
const POPULARITY_OF_KNOWN = -0.25
const POPULARITY_OF_RECOMMENDED = 0.5

const isNumberList = (value: unknown, length: number): value is number[] =>
  Array.isArray(value) && value.length === length && value.every(Number.isFinite)

/** Return the model, or null if it is not complete for so many titles and numbers. */
export function parseModel(value: unknown, titles: number, nEmbedding: number): RecommendationModel | null {
  if (typeof value !== 'object' || value === null) return null
  const { mean, popularity, whitening } = value as Record<string, unknown>
  const complete =
    isNumberList(mean, titles) &&
    mean.every((score) => score >= 0 && score <= 10) &&
    isNumberList(popularity, titles) &&
    popularity.every((share) => share > 0) &&
    Array.isArray(whitening) &&
    whitening.length === nEmbedding &&
    whitening.every((row) => isNumberList(row, nEmbedding))
  return complete ? { mean, popularity, whitening } : null
}

/** Return the dot product of two rows of a matrix, given where they start. */
function dot(matrix: Float64Array, a: number, b: number, length: number): number {
  let sum = 0
  for (let k = 0; k < length; k++) sum += matrix[a + k] * matrix[b + k]
  return sum
}

/** Return what does not depend on the user. `vectors`: one row of nEmbedding numbers for each of `ids`. */
export function makeRecommender(
  ids: number[],
  vectors: Float32Array,
  model: RecommendationModel,
): Recommender {
  const nEmbedding = vectors.length / ids.length
  // In float32, as in query.py: where products nearly cancel, the difference would show.
  const whitening = model.whitening.map((row) => Float32Array.from(row))
  const whitened = new Float64Array(vectors.length)
  for (let start = 0; start < vectors.length; start += nEmbedding) {
    for (let k = 0; k < nEmbedding; k++) {
      const value = vectors[start + k]
      for (let column = 0; column < nEmbedding; column++)
        whitened[start + column] += value * whitening[k][column]
    }
    const length = Math.sqrt(dot(whitened, start, start, nEmbedding))
    for (let column = 0; column < nEmbedding; column++) whitened[start + column] /= length
  }
  return { ids, rows: new Map(ids.map((id, row) => [id, row])), model, nEmbedding, whitened }
}

interface Known {
  id: number
  start: number
  weight: number
}

/** What one list says. */
export interface Query {
  known: Known[]
  /** Of every title. */
  affinity: Float64Array
}

/** Return the titles of the list that have a vector and say something, with their weights. */
function findKnown({ rows, model, nEmbedding }: Recommender, list: Entries): Known[] {
  const known: Known[] = []
  for (const [id, { score, weight }] of weigh(list)) {
    const row = rows.get(id)
    if (row === undefined) continue
    const liking = Math.exp(SCORE_WEIGHT * (score - model.mean[row] / 2))
    known.push({
      id,
      start: row * nEmbedding,
      weight: weight * liking * model.popularity[row] ** POPULARITY_OF_KNOWN,
    })
  }
  return known
}

/** Return what each known title says of one, without what all its terms share. */
function termsOf({ ids, nEmbedding, whitened }: Recommender, known: Known[], row: number): number[] {
  const exponent = Math.max(1, Math.round(Math.log10(ids.length / 2)))
  return known.map(({ start, weight }) => {
    const similarity = dot(whitened, start, row * nEmbedding, nEmbedding)
    // Also where it is NaN, because a vector is zero.
    return similarity > 0 ? weight * similarity ** exponent : 0
  })
}

/**
 * Return what the list says of every title, or null if it says nothing of this map's titles. `niche`: 0 to 1,
 * from popular titles to those that are like the list, however few know them.
 */
export function makeQuery(recommender: Recommender, list: Entries, niche: number): Query | null {
  const { ids, model } = recommender
  const known = findKnown(recommender, list)
  if (known.length === 0) return null
  const affinity = Float64Array.from(ids, (_id, row) => {
    const prior =
      model.popularity[row] ** (POPULARITY_OF_RECOMMENDED * (1 - niche)) *
      Math.exp(MEAN_WEIGHT * model.mean[row])
    return prior * termsOf(recommender, known, row).reduce((sum, term) => sum + term, 0)
  })
  return { known, affinity }
}

/** Return the known titles that add most to the affinity of one, the strongest first. */
export function reasonsOf(recommender: Recommender, { known }: Query, row: number, most: number): number[] {
  return termsOf(recommender, known, row)
    .map((term, k) => ({ term, id: known[k].id }))
    .filter(({ term }) => term > 0)
    .sort((a, b) => b.term - a.term)
    .slice(0, most)
    .map(({ id }) => id)
}
