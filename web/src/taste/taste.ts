/** Statistics of the user's list. */
import type { Facts } from './filters'

export interface Genre {
  name: string
  titles: number
  /** Mean of the user's scores in the genre, less that of all the user's scores. */
  above: number
}

/** Titles of a genre, below which it says nothing. */
const MIN_TITLES = 3
/** So many titles with the user's mean are added to each genre, so that few titles do not come first. */
const PRIOR_TITLES = 3

/** Return the genres that the user scores above the own mean, the best liked first. */
export function likedGenres(byId: ReadonlyMap<number, Facts>, scored: [number, number][]): Genre[] {
  const mean = scored.reduce((sum, [, score]) => sum + score, 0) / scored.length
  const sums = new Map<string, { titles: number; sum: number }>()
  for (const [id, score] of scored)
    for (const genre of new Set(byId.get(id)!.genres)) {
      const { titles, sum } = sums.get(genre) ?? { titles: 0, sum: 0 }
      sums.set(genre, { titles: titles + 1, sum: sum + score - mean })
    }
  return [...sums]
    .filter(([, { titles, sum }]) => titles >= MIN_TITLES && sum > 0)
    .sort(([, a], [, b]) => b.sum / (b.titles + PRIOR_TITLES) - a.sum / (a.titles + PRIOR_TITLES))
    .map(([name, { titles, sum }]) => ({ name, titles, above: sum / titles }))
}

export interface Surprise {
  id: number
  given: number
  predicted: number
}

/** Return the titles with the scores given and predicted, those that differ most first. */
export function surprises(scored: [number, number][], predicted: ReadonlyMap<number, number>): Surprise[] {
  return scored
    .filter(([id]) => predicted.has(id))
    .map(([id, given]) => ({ id, given, predicted: predicted.get(id)! }))
    .sort((a, b) => Math.abs(b.given - b.predicted) - Math.abs(a.given - a.predicted))
}
