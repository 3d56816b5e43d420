/** What the user's list says of every title: the formulas of aniembed/taste/query.py, on what graph.json holds. */
import type { RecommendationModel } from '../data/graph'
import { type Entries, weigh } from './opinions'

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
  scored: Scored[]
  /** sum_j (k_ij a_j + b p_i^-0.2 v_i . v_j z_j) of every title i. */
  liking: Float64Array
  /** The score that the user is likely to give each title, 1 to 10. */
  predicted: Float64Array
}

/** A title of the list that has a vector and says what the user likes. */
interface Known {
  id: number
  row: number
  /** c_j of the formula, below 0 for a dislike. */
  count: number
  /** a_j and z_j of query.Query. */
  weight: number
  observed: number
}

/** A title with a vector and a score; `weight`: a_j of query.predict_scores(). */
interface Scored {
  id: number
  row: number
  score: number
  weight: number
}

/** Return what does not depend on the user. `vectors`: one row of numbers for each of `ids`. */
export function makeRecommender(
  ids: number[],
  vectors: Float32Array,
  model: RecommendationModel,
): Recommender {
  const nEmbedding = vectors.length / ids.length
  const rows = new Map(ids.map((id, row) => [id, row]))
  const c = model.constants
  return {
    ids,
    rows,
    model,
    nEmbedding,
    exponent: c.exponent + c.exponent_growth * Math.log10(ids.length),
    linearWeight: c.linear_weight * Math.min(1, c.linear_titles / ids.length) ** c.linear_fall,
    vectors: Float64Array.from(vectors),
  }
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
function nearnessOfScores({ model }: Recommender, i: number, j: number, cosine: number): number {
  const { mean, constants: c } = model
  const slope = c.scores_slope * (mean[i] - c.usual_score) * (mean[j] - c.usual_score)
  return c.scores_bias + slope + Math.exp(c.scores_range * (cosine - 1))
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

/** Return the titles of the list that say what the user likes, with their weights. */
function findKnown(recommender: Recommender, list: Entries): Known[] {
  const { mean, popularity, constants: c } = recommender.model
  const known: Known[] = []
  for (const [id, { score, weight: count }] of weigh(list, c)) {
    const row = recommender.rows.get(id)
    if (row === undefined) continue
    const observed = (count * Math.exp(c.score_weight * (score - mean[row]))) / Math.sqrt(popularity[row])
    known.push({ id, row, count, weight: 0, observed })
  }
  const factors = factorize(
    (j, k) => (j === k ? 1 : nearness(recommender, dot(recommender, known[j].row, known[k].row))),
    c.noise,
    known.length,
  )
  const observed = known.map((one) => one.observed)
  solve(factors, observed).forEach((weight, k) => {
    known[k].weight = weight
  })
  return known
}

/** Return the titles with a score, with their weights. */
function findScored(recommender: Recommender, { scores }: Entries): Scored[] {
  const scored: Scored[] = []
  for (const [id, score] of scores) {
    const row = recommender.rows.get(id)
    if (row !== undefined && score > 0) scored.push({ id, row, score, weight: 0 })
  }
  const offsets = scored.map(({ row, score }) => score - recommender.model.mean[row])
  solve(factorsOfScores(recommender, scored), offsets).forEach((weight, k) => {
    scored[k].weight = weight
  })
  return scored
}

const factorsOfScores = (recommender: Recommender, scored: Scored[]) =>
  factorize(
    (j, k) => {
      const [a, b] = [scored[j].row, scored[k].row]
      return nearnessOfScores(recommender, a, b, dot(recommender, a, b))
    },
    recommender.model.constants.scores_noise,
    scored.length,
  )

/** Return what the list says of every title, or null if it says nothing of this map's titles. */
export function makeQuery(recommender: Recommender, list: Entries): Query | null {
  const { mean } = recommender.model
  const known = findKnown(recommender, list)
  if (known.length === 0) return null
  const scored = findScored(recommender, list)
  const liking = new Float64Array(mean.length)
  for (let row = 0; row < liking.length; row++) {
    const linear = linearWeightOf(recommender, row)
    for (const one of known) {
      const cosine = dot(recommender, one.row, row)
      liking[row] += likingOf(recommender, one, row, cosine, linear)
    }
  }
  const predicted = Float64Array.from(mean)
  for (let row = 0; row < predicted.length; row++) {
    for (const one of scored) {
      const cosine = dot(recommender, one.row, row)
      predicted[row] += one.weight * nearnessOfScores(recommender, one.row, row, cosine)
    }
    // Without a score, the means stay as they are.
    if (scored.length > 0) predicted[row] = bounded(predicted[row])
  }
  return { known, scored, liking, predicted }
}

/**
 * Return the affinity of every title. `niche`: 0 to 1, from popular titles to those that are like the list,
 * however few know them.
 */
export function affinityOf({ model }: Recommender, { liking, predicted }: Query, niche: number) {
  const { popularity, constants: c } = model
  return liking.map((sum, row) => {
    const itemWeight = popularity[row] ** (c.popularity_weight * (1 - niche))
    const affinity = itemWeight * (sum + c.prior * itemWeight)
    return affinity * Math.exp(c.predicted_weight * Math.sign(affinity) * predicted[row])
  })
}

/** Return b p_i^-0.2 of one title. */
const linearWeightOf = ({ linearWeight, model }: Recommender, row: number) =>
  linearWeight * model.popularity[row] ** -model.constants.linear_popularity

/** Return what a known title adds to the liking of one. `linear`: b p_i^-0.2 of that one. */
const likingOf = (recommender: Recommender, known: Known, row: number, cosine: number, linear: number) =>
  row === known.row
    ? known.weight
    : known.weight * nearness(recommender, cosine) + known.observed * cosine * linear

/** Return likingOf() a title by itself. */
function termOf(recommender: Recommender, known: Known, row: number): number {
  const cosine = dot(recommender, known.row, row)
  return likingOf(recommender, known, row, cosine, linearWeightOf(recommender, row))
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
export function predictedByOthers(recommender: Recommender, { scored }: Query): Map<number, number> {
  const inverse = inverseDiagonal(factorsOfScores(recommender, scored))
  return new Map(scored.map(({ id, score, weight }, k) => [id, bounded(score - weight / inverse[k])]))
}
