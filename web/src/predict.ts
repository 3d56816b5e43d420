/** The scores that the user is likely to give: predict_scores() of aniembed/query.py, the same formula. */
import type { AnimeGraph } from './graph'

/** How far a person may score above or below everybody else; how near vectors must be; noise of a score. */
const BIAS = 3
const RANGE = 3
const NOISE = 0.5
/** Solving takes the third power of their number: the user's last scores say enough. */
const MAX_SCORES = 600

/** Solve a symmetric positive definite system in place (Cholesky); `matrix`: rows. */
function solve(matrix: number[][], right: number[]): number[] {
  const n = right.length
  for (let row = 0; row < n; row++)
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row][column]
      for (let k = 0; k < column; k++) sum -= matrix[row][k] * matrix[column][k]
      matrix[row][column] = row === column ? Math.sqrt(sum) : sum / matrix[column][column]
    }
  for (let row = 0; row < n; row++) {
    for (let k = 0; k < row; k++) right[row] -= matrix[row][k] * right[k]
    right[row] /= matrix[row][row]
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) right[row] -= matrix[k][row] * right[k]
    right[row] /= matrix[row][row]
  }
  return right
}

/**
 * Return the likely score of every title, 1 to 10, by id; empty without a score or a model. The scores s are
 * taken for a Gaussian process around the mean scores m:
 *
 *     t_i = m_i + sum_j k_ij a_j       a = (K + 0.5 I)^-1 (s - m)       k_ij = 3 + e^(3 (v_i . v_j - 1))
 */
export function predictScores(graph: AnimeGraph, scores: ReadonlyMap<number, number>): Map<number, number> {
  const { anime, vectors, nEmbedding, model } = graph
  const rows = [...anime.keys()].filter((row) => scores.get(anime[row].id)).slice(-MAX_SCORES)
  if (rows.length === 0 || !model) return new Map()
  const kernel = (a: number, b: number) => {
    let product = 0
    for (let k = 0; k < nEmbedding; k++) product += vectors[a * nEmbedding + k] * vectors[b * nEmbedding + k]
    return BIAS + Math.exp(RANGE * (product - 1))
  }
  const matrix = rows.map((a) => rows.map((b) => kernel(a, b) + (a === b ? NOISE : 0)))
  const offsets = rows.map((row) => scores.get(anime[row].id)! - model.mean[row])
  const weights = solve(matrix, offsets)
  return new Map(
    anime.map(({ id }, row) => {
      const shift = rows.reduce((sum, other, k) => sum + weights[k] * kernel(row, other), 0)
      return [id, Math.min(10, Math.max(1, model.mean[row] + shift))]
    }),
  )
}
