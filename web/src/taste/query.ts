/** What the user's list says of every title: the formulas of aniembed/taste/query.py, on what graph.json holds. */
import { type Entries, USUAL_SCORE, weigh } from './opinions'

/** `model` of graph.json: what the formulas need besides the vectors, in the order of the titles. */
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
  /** g and b of the formula. */
  exponent: number
  linearWeight: number
  /** Vectors of unit length, one row a title: v_i of the formulas. */
  vectors: Float64Array
}

/** What one list says. */
export interface Query {
  known: Known[]
  /** sum_j (k_ij a_j + b p_i^-0.2 v_i . v_j z_j) of every title i. */
  liking: Float64Array
  /** The score that the user is likely to give each title, 1 to 10. */
  predicted: Float64Array
}

/** A title of the list that has a vector and says something. */
interface Known {
  id: number
  row: number
  score: number
  /** c_j of the formula, below 0 for a dislike. */
  count: number
  isScored: boolean
  /** a_j and z_j of query.Query. */
  weight: number
  observed: number
  /** a_j of query.predict_scores(). */
  scoreWeight: number
}

const SCORE_WEIGHT = 0.2
const PREDICTED_WEIGHT = 0.15
const POPULARITY_WEIGHT = 0.4
/** Of the similarity, and what it grows with log10(n). */
const EXPONENT = 1.7
const EXPONENT_GROWTH = 0.65
/** Among 100 titles or fewer; the exponent with which it falls as they become more; and that of popularity. */
const LINEAR_WEIGHT = 0.25
const LINEAR_FALL = 1.25
const LINEAR_POPULARITY = 0.2
const NOISE = 0.5
const PRIOR = 0.02
const SCORES_RANGE = 2
const SCORES_NOISE = 0.4
const SCORES_BIAS = 0.5
const SCORES_SLOPE = 0.1
/** How far from 1 the square of a vector's length may be. */
const UNIT = 1e-3

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

/** Return what does not depend on the user. `vectors`: one row of numbers for each of `ids`. */
export function makeRecommender(
  ids: number[],
  vectors: Float32Array,
  model: RecommendationModel,
): Recommender {
  const nEmbedding = vectors.length / ids.length
  const rows = new Map(ids.map((id, row) => [id, row]))
  const recommender = {
    ids,
    rows,
    model,
    nEmbedding,
    exponent: EXPONENT + EXPONENT_GROWTH * Math.log10(ids.length),
    linearWeight: LINEAR_WEIGHT * Math.min(1, 100 / ids.length) ** LINEAR_FALL,
    vectors: Float64Array.from(vectors),
  }
  // embeddings.py writes unit vectors; in a damaged file, others would overflow.
  for (let row = 0; row < ids.length; row++) {
    const length = dot(recommender, row, row)
    if (length === 0 || Math.abs(length - 1) < UNIT) continue
    const vector = recommender.vectors.subarray(row * nEmbedding, (row + 1) * nEmbedding)
    vector.forEach((value, k) => {
      vector[k] = value / Math.sqrt(length)
    })
  }
  return recommender
}

/** Return the dot product of the vectors of two titles. */
function dot({ vectors, nEmbedding }: Recommender, a: number, b: number): number {
  const [first, second] = [a * nEmbedding, b * nEmbedding]
  let sum = 0
  for (let k = 0; k < nEmbedding; k++) sum += vectors[first + k] * vectors[second + k]
  return sum
}

/** Return k_ij of query.Query for two different titles. */
const nearness = ({ exponent }: Recommender, cosine: number) => (cosine > 0 ? cosine ** exponent : 0)

const bounded = (score: number) => Math.min(10, Math.max(1, score))

/** Return k_ij of query.predict_scores(); `cosine`: v_i . v_j. */
function nearnessOfScores({ model: { mean } }: Recommender, i: number, j: number, cosine: number): number {
  const slope = SCORES_SLOPE * (mean[i] - USUAL_SCORE) * (mean[j] - USUAL_SCORE)
  return SCORES_BIAS + slope + Math.exp(SCORES_RANGE * (cosine - 1))
}

/** L and D of L D L^T: the rows of L below its diagonal of ones, and the diagonal of D. */
interface Factors {
  lower: Float64Array[]
  diagonal: Float64Array
}

/**
 * Return the factors of K + noise I. K is symmetric, n x n; with noise of half its diagonal it needs no
 * pivots.
 */
function factorize(kernel: (row: number, column: number) => number, noise: number, n: number): Factors {
  const lower = Array.from({ length: n }, (_, row) => new Float64Array(row))
  const diagonal = new Float64Array(n)
  for (let row = 0; row < n; row++) {
    const own = lower[row]
    for (let column = 0; column < row; column++) {
      const other = lower[column]
      let sum = kernel(row, column)
      // own[k] is L times D here, and L below.
      for (let k = 0; k < column; k++) sum -= own[k] * other[k]
      own[column] = sum
    }
    diagonal[row] = kernel(row, row) + noise
    for (let k = 0; k < row; k++) {
      const factor = own[k] / diagonal[k]
      diagonal[row] -= own[k] * factor
      own[k] = factor
    }
  }
  return { lower, diagonal }
}

/** Return x with L D L^T x = right. */
function solve({ lower, diagonal }: Factors, right: number[]): number[] {
  const x = [...right]
  for (let row = 0; row < x.length; row++) for (let k = 0; k < row; k++) x[row] -= lower[row][k] * x[k]
  for (let row = x.length - 1; row >= 0; row--) {
    x[row] /= diagonal[row]
    for (let below = row + 1; below < x.length; below++) x[row] -= lower[below][row] * x[below]
  }
  return x
}

/** Return the diagonal of the inverse of L D L^T. */
function inverseDiagonal({ lower, diagonal }: Factors): number[] {
  return lower.map((_, column) => {
    // Column of the inverse of L, which begins at its own row.
    const inverse = new Float64Array(lower.length)
    inverse[column] = 1
    let sum = 1 / diagonal[column]
    for (let row = column + 1; row < lower.length; row++) {
      for (let k = column; k < row; k++) inverse[row] -= lower[row][k] * inverse[k]
      sum += inverse[row] ** 2 / diagonal[row]
    }
    return sum
  })
}

/** Return the titles of the list that have a vector and say something, with their weights. */
function findKnown(recommender: Recommender, list: Entries): Known[] {
  const { mean, popularity } = recommender.model
  const known: Known[] = []
  for (const [id, { score, weight: count }] of weigh(list)) {
    const row = recommender.rows.get(id)
    if (row === undefined) continue
    const isScored = list.scores.get(id)! > 0
    const observed = (count * Math.exp(SCORE_WEIGHT * (score - mean[row]))) / Math.sqrt(popularity[row])
    known.push({ id, row, score, count, isScored, weight: 0, observed, scoreWeight: 0 })
  }
  const factors = factorize(
    (j, k) => (j === k ? 1 : nearness(recommender, dot(recommender, known[j].row, known[k].row))),
    NOISE,
    known.length,
  )
  const observed = known.map((one) => one.observed)
  solve(factors, observed).forEach((weight, k) => {
    known[k].weight = weight
  })
  const scored = known.filter(({ isScored }) => isScored)
  const offsets = scored.map(({ row, score }) => score - mean[row])
  solve(factorsOfScores(recommender, scored), offsets).forEach((weight, k) => {
    scored[k].scoreWeight = weight
  })
  return known
}

const factorsOfScores = (recommender: Recommender, scored: Known[]) =>
  factorize(
    (j, k) => {
      const [a, b] = [scored[j].row, scored[k].row]
      return nearnessOfScores(recommender, a, b, dot(recommender, a, b))
    },
    SCORES_NOISE,
    scored.length,
  )

/** Return what the list says of every title, or null if it says nothing of this map's titles. */
export function makeQuery(recommender: Recommender, list: Entries): Query | null {
  const { model } = recommender
  const known = findKnown(recommender, list)
  if (known.length === 0) return null
  const liking = new Float64Array(model.mean.length)
  const predicted = Float64Array.from(model.mean)
  const linear = model.popularity.map((share) => recommender.linearWeight * share ** -LINEAR_POPULARITY)
  for (const one of known)
    for (let other = 0; other < liking.length; other++) {
      const cosine = dot(recommender, one.row, other)
      liking[other] += likingOf(recommender, one, other, cosine, linear[other])
      if (one.isScored)
        predicted[other] += one.scoreWeight * nearnessOfScores(recommender, one.row, other, cosine)
    }
  // Without a score, the means stay as they are.
  const isScored = known.some((one) => one.isScored)
  return { known, liking, predicted: isScored ? predicted.map(bounded) : predicted }
}

/**
 * Return the affinity of every title. `niche`: 0 to 1, from popular titles to those that are like the list,
 * however few know them.
 */
export function affinityOf({ model }: Recommender, { liking, predicted }: Query, niche: number) {
  return liking.map((sum, row) => {
    const itemWeight = model.popularity[row] ** (POPULARITY_WEIGHT * (1 - niche))
    const affinity = itemWeight * (sum + PRIOR * itemWeight)
    return affinity * Math.exp(PREDICTED_WEIGHT * Math.sign(affinity) * predicted[row])
  })
}

/** Return what a known title adds to the liking of one. `linear`: b p_i^-0.2 of that one. */
const likingOf = (recommender: Recommender, known: Known, row: number, cosine: number, linear: number) =>
  row === known.row
    ? known.weight
    : known.weight * nearness(recommender, cosine) + known.observed * cosine * linear

/** Return likingOf() a title by itself. */
function termOf(recommender: Recommender, known: Known, row: number): number {
  const linear = recommender.linearWeight * recommender.model.popularity[row] ** -LINEAR_POPULARITY
  return likingOf(recommender, known, row, dot(recommender, known.row, row), linear)
}

/** Return the known titles that add most to the affinity of one, the strongest first; never a dislike. */
export function reasonsOf(recommender: Recommender, { known }: Query, row: number, most: number): number[] {
  return known
    .filter(({ count }) => count > 0)
    .map((one) => ({ id: one.id, term: termOf(recommender, one, row) }))
    .filter(({ term }) => term > 0)
    .sort((a, b) => b.term - a.term)
    .slice(0, most)
    .map(({ id }) => id)
}

/** What a title of the list says of another. */
export interface Term {
  id: number
  /**
   * Of all that speaks for the other title; below 0 for what speaks against it (of all that does, where
   * nothing speaks for it).
   */
  share: number
}

/** Return what each known title says of one, what speaks for it first, as explanation() of recommend.py. */
export function explain(recommender: Recommender, { known }: Query, row: number): Term[] {
  const terms = known
    .filter((one) => one.row !== row)
    .map((one) => ({ id: one.id, term: termOf(recommender, one, row) }))
    .filter(({ term }) => term !== 0)
    .sort((a, b) => b.term - a.term)
  const sumOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0)
  const total =
    sumOf(terms.map(({ term }) => Math.max(0, term))) || sumOf(terms.map(({ term }) => Math.abs(term)))
  return terms.map(({ id, term }) => ({ id, share: term / total }))
}

/**
 * Return the score of each title with one that the others on the list predict, by MAL id: with it left out,
 * a Gaussian process predicts s_j - a_j / (K + 0.4 I)^-1_jj.
 */
export function predictedByOthers(recommender: Recommender, { known }: Query): Map<number, number> {
  const scored = known.filter(({ isScored }) => isScored)
  const inverse = inverseDiagonal(factorsOfScores(recommender, scored))
  return new Map(
    scored.map(({ id, score, scoreWeight }, k) => [id, bounded(score - scoreWeight / inverse[k])]),
  )
}
