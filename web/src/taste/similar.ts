/** similar_table() of recommend.py: what is similar to several titles. */
import type { AnimeGraph } from '../data/graph'
import { bestOfFranchise, notBeforeItsPrequel } from './filters'

/**
 * Return up to `number` titles that are most similar to some titles, the most similar first; similarity is the
 * mean of the cosines. Sequels of other titles, and all but the best title of a franchise, are left out.
 */
export function similarTo({ anime, vectors, nEmbedding }: AnimeGraph, ids: number[], number: number) {
  const liked = new Set(ids)
  const mean = new Float64Array(nEmbedding)
  for (const [row, { id }] of anime.entries())
    if (liked.has(id))
      for (let k = 0; k < nEmbedding; k++) mean[k] += vectors[row * nEmbedding + k] / liked.size
  const similarity = anime.map((_, row) =>
    mean.reduce((sum, value, k) => sum + value * vectors[row * nEmbedding + k], 0),
  )
  const candidates = [...anime.keys()].filter(
    (row) => !liked.has(anime[row].id) && notBeforeItsPrequel(anime[row], liked),
  )
  const order = bestOfFranchise(
    anime,
    candidates.sort((a, b) => similarity[b] - similarity[a]),
  )
  return order.slice(0, number).map((row) => ({ id: anime[row].id, similarity: similarity[row] }))
}
