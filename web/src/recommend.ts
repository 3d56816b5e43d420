/** What embeddings.recommend gives, computed in the browser from the vectors in graph.json. */
import { DIMENSIONS, type AnimeGraph } from './graph'

export interface Recommendation {
  id: number
  affinity: number
}

/** The part of a graph that the formula needs. */
export type Vectors = Pick<AnimeGraph, 'anime' | 'vectors' | 'settings'>

interface Taste {
  /** How well the title in this row suits the person. */
  affinity(row: number): number
  /** What the person's title in row `own` adds to the affinity of the title in `row`. */
  contribution(row: number, own: number): number
}

const rowOf = (vectors: Float32Array, row: number) => vectors.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS)

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < DIMENSIONS; k++) sum += a[k] * b[k]
  return sum
}

/** Solves A x = b for a symmetric positive definite A (Cholesky, A = L L^T); A is given as rows and left as it was. */
function solver(a: Float64Array[]): (b: ArrayLike<number>) => Float64Array {
  const n = a.length
  const l = a.map(() => new Float64Array(n))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i][j]
      for (let k = 0; k < j; k++) sum -= l[i][k] * l[j][k]
      l[i][j] = i === j ? Math.sqrt(sum) : sum / l[j][j]
    }
  }
  return (b) => {
    const x = Float64Array.from(b)
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) x[i] -= l[i][k] * x[k]
      x[i] /= l[i][i]
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) x[i] -= l[k][i] * x[k]
      x[i] /= l[i][i]
    }
    return x
  }
}

/**
 * The formula: o_i = max(0, s_i - m_i + MARGIN), affinity = V (V^T V + c I)^-1 sum_i o_i v_i.
 * `own` is the person's titles that the graph holds, as row -> score.
 */
function taste({ anime, vectors, settings }: Vectors, own: Map<number, number>): Taste {
  const constants = (settings.recommend ?? {}) as { margin?: number; ridge?: number }
  const { margin = 1, ridge = 1 } = constants
  const gram = Array.from({ length: DIMENSIONS }, () => new Float64Array(DIMENSIONS))
  for (let row = 0; row < anime.length; row++) {
    const v = rowOf(vectors, row)
    for (let i = 0; i < DIMENSIONS; i++) for (let j = 0; j <= i; j++) gram[i][j] += v[i] * v[j]
  }
  for (let i = 0; i < DIMENSIONS; i++) gram[i][i] += ridge
  const solve = solver(gram)
  const offset = (row: number) => Math.max(0, (own.get(row) ?? 0) - (anime[row].mean ?? Infinity) + margin)
  const liked = new Float64Array(DIMENSIONS)
  for (const row of own.keys()) {
    const o = offset(row)
    rowOf(vectors, row).forEach((value, k) => { liked[k] += o * value })
  }
  const person = solve(liked)
  return {
    affinity: (row) => dot(rowOf(vectors, row), person),
    contribution: (row, other) => offset(other) * dot(solve(rowOf(vectors, row)), rowOf(vectors, other)),
  }
}

export interface Recommendations {
  /** Every title that is not in `scores`, best first. */
  titles: Recommendation[]
  /** The person's titles that speak most for `id`, strongest first, at most `number`, none that speaks against it. */
  because(id: number, number?: number): number[]
}

/** `scores`: MAL id -> 1-10, 0 for a title that is on the list but has no score. Ids that the graph lacks are passed over. */
export function recommend(graph: Vectors, scores: ReadonlyMap<number, number>): Recommendations {
  const rows = new Map(graph.anime.map(({ id }, row) => [id, row]))
  const own = new Map<number, number>()
  for (const [id, score] of scores) {
    const row = rows.get(id)
    if (row !== undefined) own.set(row, score)
  }
  const person = taste(graph, own)
  const titles: Recommendation[] = []
  graph.anime.forEach(({ id }, row) => {
    if (!own.has(row)) titles.push({ id, affinity: person.affinity(row) })
  })
  titles.sort((a, b) => b.affinity - a.affinity)
  return {
    titles,
    because(id, number = 3) {
      const row = rows.get(id)!
      return [...own.keys()]
        .map((other) => ({ id: graph.anime[other].id, share: person.contribution(row, other) }))
        .filter(({ share }) => share > 0)
        .sort((a, b) => b.share - a.share)
        .slice(0, number)
        .map((entry) => entry.id)
    },
  }
}
