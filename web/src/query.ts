/** What the user's list says of every title: the formulas of aniembed/query.py, on what graph.json holds. */
import { type Entries, weigh } from './opinions'

/** `model` of graph.json: what the formulas need besides the vectors; arrays in the order of the titles. */
export interface RecommendationModel {
  /** Mean scores, 0 to 10. */
  mean: number[]
  /** Relative popularity, positive, about 1 on average. */
  popularity: number[]
}

/** What does not depend on the user. */
export interface Recommender {
  ids: number[]
  rows: Map<number, number>
  model: RecommendationModel
  nEmbedding: number
  /** Vectors of unit length, one row a title. */
  vectors: Float32Array
}

// The constants of query.py
const SCORE_WEIGHT = 0.2
const PREDICTED_WEIGHT = 0.18
const POPULARITY_WEIGHT = 0.4
const EXPONENT = 0.5
const NOISE = 0.5
const PRIOR = 0.02
const SCORES_RANGE = 3
const SCORES_NOISE = 0.5
const SCORES_BIAS = 3

const isNumberList = (value: unknown, length: number): value is number[] =>
  Array.isArray(value) && value.length === length && value.every(Number.isFinite)

/** Return the model, or null if it is not complete for so many titles. */
export function parseModel(value: unknown, titles: number): RecommendationModel | null {
  if (typeof value !== 'object' || value === null) return null
  const { mean, popularity } = value as Record<string, unknown>
  const complete =
    isNumberList(mean, titles) &&
    mean.every((score) => score >= 0 && score <= 10) &&
    isNumberList(popularity, titles) &&
    popularity.every((share) => share > 0)
  return complete ? { mean, popularity } : null
}

/** Return what does not depend on the user. `vectors`: one row of nEmbedding numbers for each of `ids`. */
export function makeRecommender(
  ids: number[],
  vectors: Float32Array,
  model: RecommendationModel,
): Recommender {
  const nEmbedding = vectors.length / ids.length
  return { ids, rows: new Map(ids.map((id, row) => [id, row])), model, nEmbedding, vectors }
}

/** A title of the list that has a vector and says something. */
interface Known {
  id: number
  row: number
  score: number
  /** Of its entry, below 0 for a dislike. */
  count: number
}

/** What one list says. */
export interface Query {
  known: Known[]
  /** Of each known title, a_j of the formula. */
  weights: Float64Array
  /** Of every title. */
  affinity: Float64Array
  /** Score that the user is likely to give every title, 1 to 10. */
  predicted: Float64Array
}

/** Return the titles of the list that have a vector and say something. */
function findKnown({ rows }: Recommender, list: Entries): Known[] {
  const known: Known[] = []
  for (const [id, { score, weight }] of weigh(list)) {
    const row = rows.get(id)
    if (row !== undefined) known.push({ id, row, score, count: weight })
  }
  return known
}

/** Return the dot product of the vectors of two titles. */
function dot({ vectors, nEmbedding }: Recommender, a: number, b: number): number {
  const [i, j] = [a * nEmbedding, b * nEmbedding]
  let sum = 0
  for (let k = 0; k < nEmbedding; k++) sum += vectors[i + k] * vectors[j + k]
  return sum
}

/** Return k_ij of the affinity. */
function likingKernel(recommender: Recommender, a: number, b: number): number {
  if (a === b) return 1
  const product = dot(recommender, a, b)
  // Also where it is NaN, because a vector is zero.
  return product > 0 ? product ** (Math.log10(recommender.ids.length) + EXPONENT) : 0
}

/** Return k_ij of the predicted scores. */
const scoresKernel = (recommender: Recommender, a: number, b: number) =>
  SCORES_BIAS + Math.exp(SCORES_RANGE * (dot(recommender, a, b) - 1))

/** Return x of (K + noise I) x = observed, K the kernel of some titles, by K's Cholesky factor. */
function solve(
  recommender: Recommender,
  kernel: typeof likingKernel,
  rows: number[],
  noise: number,
  observed: number[],
): Float64Array {
  const n = rows.length
  const lower = Array.from({ length: n }, (_, i) => new Float64Array(i + 1))
  const x = Float64Array.from(observed)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = kernel(recommender, rows[i], rows[j]) + (i === j ? noise : 0)
      for (let k = 0; k < j; k++) rest -= lower[i][k] * lower[j][k]
      lower[i][j] = i === j ? Math.sqrt(rest) : rest / lower[j][j]
    }
    for (let k = 0; k < i; k++) x[i] -= lower[i][k] * x[k]
    x[i] /= lower[i][i]
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= lower[k][i] * x[k]
    x[i] /= lower[i][i]
  }
  return x
}

/** Return the scores that the user is likely to give, by the scores given. */
function predictScores(recommender: Recommender, known: Known[]): Float64Array {
  const { ids, model } = recommender
  const rows = known.map(({ row }) => row)
  const observed = known.map(({ row, score }) => score - model.mean[row])
  const weights = solve(recommender, scoresKernel, rows, SCORES_NOISE, observed)
  return Float64Array.from(ids, (_id, row) => {
    let score = model.mean[row]
    for (const [k, other] of rows.entries()) score += weights[k] * scoresKernel(recommender, row, other)
    return known.length === 0 ? score : Math.min(10, Math.max(1, score))
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
  const predicted = predictScores(
    recommender,
    known.filter(({ id }) => (list.scores.get(id) ?? 0) > 0),
  )
  const observed = known.map(
    ({ row, score, count }) =>
      (count * Math.exp(SCORE_WEIGHT * (score - model.mean[row]))) / Math.sqrt(model.popularity[row]),
  )
  const rows = known.map(({ row }) => row)
  const weights = solve(recommender, likingKernel, rows, NOISE, observed)
  const affinity = Float64Array.from(ids, (_id, row) => {
    const itemWeight = model.popularity[row] ** (POPULARITY_WEIGHT * (1 - niche))
    let liking = PRIOR * itemWeight
    for (const [k, other] of rows.entries()) liking += weights[k] * likingKernel(recommender, row, other)
    return itemWeight * liking * Math.exp(PREDICTED_WEIGHT * predicted[row])
  })
  return { known, weights, affinity, predicted }
}

/** Return the known titles that add most to the affinity of one, the strongest first; no dislike. */
export function reasonsOf(recommender: Recommender, query: Query, row: number, most: number): number[] {
  return query.known
    .map((known, k) => ({
      ...known,
      term: query.weights[k] * likingKernel(recommender, row, known.row),
    }))
    .filter(({ term, count }) => term > 0 && count > 0)
    .sort((a, b) => b.term - a.term)
    .slice(0, most)
    .map(({ id }) => id)
}
