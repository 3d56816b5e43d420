/**
 * recommend.recommend() of recommend.py, from the vectors and the model of graph.json: the same formula and
 * order.
 */

/** `model` of graph.json: what the formula needs besides the vectors; arrays in the order of the titles. */
export interface RecommendationModel {
  /** Mean scores, 0 to 10. */
  mean: number[]
  /** Relative popularity, positive, about 1 on average. */
  popularity: number[]
  /** Square matrix, as wide as a vector. */
  whitening: number[][]
}

export interface Recommendation {
  id: number
  affinity: number
  /** The user's titles that add most to the affinity, the strongest first, at most MAX_REASONS. */
  reasons: number[]
}

export interface Recommender {
  ids: number[]
  model: RecommendationModel
  nEmbedding: number
  /** Whitened vectors of unit length, one row a title: y_i of the formula. */
  whitened: Float64Array
}

const MAX_REASONS = 3

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
  // In float32, as in recommend.py: where products nearly cancel, the difference would show.
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
  return { ids, model, nEmbedding, whitened }
}

interface Known {
  id: number
  start: number
  weight: number
}

/** Return the user's titles that have a score and a vector, with their weights. */
function findKnown({ ids, model, nEmbedding }: Recommender, scores: ReadonlyMap<number, number>): Known[] {
  const rows = new Map(ids.map((id, row) => [id, row]))
  const known: Known[] = []
  for (const [id, score] of scores) {
    const row = rows.get(id)
    if (score === 0 || row === undefined) continue
    const weight = Math.exp(0.4 * (score - model.mean[row] / 2)) / model.popularity[row] ** 0.25
    known.push({ id, start: row * nEmbedding, weight })
  }
  return known
}

/**
 * Return every title that is not in `scores`, best first; none if no title with a vector has a score.
 *
 * `scores`: MAL id -> 1-10, 0 for a title that is on the list without a score. The affinity of title i is a
 * sum over the user's titles j,
 *
 *     sum_j  p_j^-0.25 e^(0.4 (s_j - m_j / 2)) . max(0, y_j . y_i)^g . p_i^0.5 e^(0.15 m_i)
 *
 * with p the popularity, m the mean score, y the whitened vector, and g = log10(n / 2) for n titles,
 * rounded, at least 1.
 */
export function recommend(recommender: Recommender, scores: ReadonlyMap<number, number>): Recommendation[] {
  const { ids, model, nEmbedding, whitened } = recommender
  const exponent = Math.max(1, Math.round(Math.log10(ids.length / 2)))
  const known = findKnown(recommender, scores)
  if (known.length === 0) return []
  const recommendations: Recommendation[] = []
  for (let row = 0; row < ids.length; row++) {
    if (scores.has(ids[row])) continue
    let affinity = 0
    const strongest: { id: number; contribution: number }[] = []
    for (const { id, start, weight } of known) {
      const similarity = dot(whitened, start, row * nEmbedding, nEmbedding)
      // Also where it is NaN, because a vector is zero.
      if (!(similarity > 0)) continue
      let contribution = weight
      for (let power = 0; power < exponent; power++) contribution *= similarity
      affinity += contribution
      keepStrongest(strongest, id, contribution)
    }
    affinity *= Math.sqrt(model.popularity[row]) * Math.exp(0.15 * model.mean[row])
    recommendations.push({ id: ids[row], affinity, reasons: strongest.map(({ id }) => id) })
  }
  return recommendations.sort((a, b) => b.affinity - a.affinity)
}

/** Insert a title into `strongest`, which is sorted, and keep the first MAX_REASONS. */
function keepStrongest(strongest: { id: number; contribution: number }[], id: number, contribution: number) {
  if (strongest.length === MAX_REASONS && contribution <= strongest[MAX_REASONS - 1].contribution) return
  const index = strongest.findIndex((other) => other.contribution < contribution)
  strongest.splice(index < 0 ? strongest.length : index, 0, { id, contribution })
  strongest.length = Math.min(strongest.length, MAX_REASONS)
}
