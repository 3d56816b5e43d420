import { expect, test } from 'vitest'
import { parseGraph } from '../../src/graph'
import { predictScores } from '../../src/predict'
import { makeGraph } from '../random-graph.mjs'

const graph = parseGraph(JSON.stringify(makeGraph(60)), 'http://host/')
const { anime, vectors, nEmbedding } = graph
const mean = graph.model!.mean

/** The kernel of two rows, written out again. */
const kernel = (a: number, b: number) => {
  const row = (k: number) => [...vectors.subarray(k * nEmbedding, (k + 1) * nEmbedding)]
  const other = row(b)
  return 3 + Math.exp(3 * (row(a).reduce((sum, value, k) => sum + value * other[k], 0) - 1))
}

test('one score: the closed form of the formula', () => {
  const predicted = predictScores(graph, new Map([[anime[5].id, 10]]))
  const weight = (10 - mean[5]) / (kernel(5, 5) + 0.5)
  for (const [row, { id }] of anime.entries())
    expect(predicted.get(id)).toBeCloseTo(Math.min(10, mean[row] + weight * kernel(row, 5)), 6)
})

test('many scores: the weights solve the system', () => {
  const rows = [0, 3, 4, 8, 13, 21, 34, 55]
  const scores = new Map(rows.map((row, k) => [anime[row].id, 5 + (k % 4)]))
  const predicted = predictScores(graph, scores)
  // (K + 0.5 I) a = s - m and t = m + K a give t = s - 0.5 a, so a = 2 (s - t) at the scored titles.
  const weights = rows.map((row) => 2 * (scores.get(anime[row].id)! - predicted.get(anime[row].id)!))
  for (const [row, { id }] of anime.entries()) {
    const shift = rows.reduce((sum, other, k) => sum + weights[k] * kernel(row, other), 0)
    expect(predicted.get(id)).toBeCloseTo(Math.min(10, Math.max(1, mean[row] + shift)), 4)
  }
})

test('without a score there is no prediction', () => {
  expect(predictScores(graph, new Map([[anime[0].id, 0]])).size).toBe(0)
})
