/** What embeddings.recommend gives, from the vectors and the model in graph.json: the same formula, the same order. */
import { DIMENSIONS } from './graph'

/** `settings.recommend` of graph.json: what the formula needs besides the vectors; arrays in the order of the titles. */
export interface RecommendationModel {
  mean: number[]
  popularity: number[]
  /** DIMENSIONS x DIMENSIONS. */
  whitening: number[][]
}

export interface Recommendation {
  id: number
  affinity: number
  /** The person's titles that speak most for this one, strongest first, at most REASONS. */
  because: number[]
}

export interface Recommender {
  ids: number[]
  model: RecommendationModel
  /** Whitened vectors of unit length, one row a title: y_i of the formula. */
  whitened: Float64Array
}

const REASONS = 3

function dot(a: Float64Array, i: number, b: Float64Array, j: number): number {
  let sum = 0
  for (let k = 0; k < DIMENSIONS; k++) sum += a[i + k] * b[j + k]
  return sum
}

/** The part that does not depend on the person. */
export function makeRecommender(
  ids: number[],
  vectors: Float32Array,
  model: RecommendationModel,
): Recommender {
  // As embeddings.recommend does; where products nearly cancel out, the difference would show in the affinity.
  const whitening = model.whitening.map((row) => Float32Array.from(row))
  const whitened = new Float64Array(vectors.length)
  for (let start = 0; start < vectors.length; start += DIMENSIONS) {
    for (let k = 0; k < DIMENSIONS; k++) {
      const value = vectors[start + k],
        row = whitening[k]
      for (let d = 0; d < DIMENSIONS; d++) whitened[start + d] += value * row[d]
    }
    const length = Math.sqrt(dot(whitened, start, whitened, start))
    for (let d = 0; d < DIMENSIONS; d++) whitened[start + d] /= length
  }
  return { ids, model, whitened }
}

/**
 * Every title that is not in `scores`, best first; none if no title that the recommender knows has a score.
 *
 * `scores`: MAL id -> 1-10, 0 for a title that is on the list without a score. Affinity is the sum over the person's titles j of
 *
 *     p_j^-0.25 e^(0.4 (s_j - m_j / 2)) . max(0, y_j . y_i)^g . p_i^0.5 e^(0.15 m_i)
 *
 * with p the popularity, m the mean score, y the whitened vector, and g = log10(n / 2) for n titles, rounded.
 */
export function recommend(
  { ids, model, whitened }: Recommender,
  scores: ReadonlyMap<number, number>,
): Recommendation[] {
  const { mean, popularity } = model
  const sharpness = Math.max(1, Math.round(Math.log10(ids.length / 2)))
  const rows = new Map(ids.map((id, row) => [id, row]))
  const own: { id: number; start: number; weight: number }[] = []
  for (const [id, score] of scores) {
    const row = rows.get(id)
    if (score === 0 || row === undefined) continue
    own.push({
      id,
      start: row * DIMENSIONS,
      weight: Math.exp(0.4 * (score - mean[row] / 2)) / popularity[row] ** 0.25,
    })
  }
  if (own.length === 0) return []
  const recommendations: Recommendation[] = []
  for (let row = 0; row < ids.length; row++) {
    if (scores.has(ids[row])) continue
    let affinity = 0
    const strongest: { id: number; speaks: number }[] = []
    for (const { id, start, weight } of own) {
      const near = dot(whitened, start, whitened, row * DIMENSIONS)
      if (!(near > 0)) continue // nor where a vector has no direction: NaN
      let speaks = weight
      for (let power = 0; power < sharpness; power++) speaks *= near
      affinity += speaks
      if (strongest.length === REASONS && speaks <= strongest[REASONS - 1].speaks) continue
      const place = strongest.findIndex((other) => other.speaks < speaks)
      strongest.splice(place < 0 ? strongest.length : place, 0, { id, speaks })
      strongest.length = Math.min(strongest.length, REASONS)
    }
    affinity *= Math.sqrt(popularity[row]) * Math.exp(0.15 * mean[row])
    recommendations.push({ id: ids[row], affinity, because: strongest.map(({ id }) => id) })
  }
  return recommendations.sort((a, b) => b.affinity - a.affinity)
}
