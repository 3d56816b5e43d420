/** recommendation_table() of recommend.py: the same options, formulas and order. */
import { bestOfFranchise, conditions, type Facts, narrow, notBeforeItsPrequel, type Options } from './filters'
import { type Entries, plannedTitles, seenTitles } from './opinions'
import { affinityOf, type Query, type Recommender, reasonsOf } from './query'

export interface Recommendation {
  id: number
  affinity: number
  /** The score that the user is likely to give, 1 to 10. */
  predicted: number
  tags: ('planned' | 'sequel')[]
  /** The user's titles that add most to the affinity, the strongest first, at most MAX_REASONS. */
  reasons: number[]
}

export interface Table {
  /** Best first, at most as many as the options say. */
  rows: Recommendation[]
  /** Titles that pass. */
  passing: number
  /** Titles that are not on the list, or only planned. */
  candidates: number
  /** How many titles each filter took, in their order. */
  taken: [name: string, number: number][]
}

const MAX_REASONS = 3

/** Return the list as the query reads it: what is taken out as a reason is there, but says nothing. */
export function withoutMuted({ scores, statuses }: Entries, muted: ReadonlySet<number>): Entries {
  return {
    scores: new Map([...scores].map(([id, score]) => [id, muted.has(id) ? 0 : score])),
    statuses: new Map([...statuses].filter(([id]) => !muted.has(id))),
  }
}

/**
 * Return the best titles. `anime`: in the order of the recommender's ids. `query`: what `list` says.
 * `unwanted`: MAL ids that are not recommended.
 */
export function recommend(
  recommender: Recommender,
  anime: Facts[],
  query: Query,
  list: Entries,
  unwanted: ReadonlySet<number>,
  options: Options,
): Table {
  const planned = plannedTitles(list)
  const candidates = [...anime.keys()].filter(
    (row) => !list.scores.has(anime[row].id) || planned.has(anime[row].id),
  )
  const filters = conditions(options, unwanted)
  if (options.planned !== 'also')
    filters.push(['planned', ({ id }) => planned.has(id) === (options.planned === 'only')])
  if (!options.sequels) {
    const seen = seenTitles(list)
    filters.push(['sequels of what you have not seen', (title) => notBeforeItsPrequel(title, seen)])
  }
  const { left, taken } = narrow(anime, candidates, filters)
  const affinity = affinityOf(recommender, query, options.niche)
  let order = left.sort((a, b) => affinity[b] - affinity[a])
  if (!options.sequels) order = bestOfFranchise(anime, order)
  const rows = order.slice(0, options.number).map((row): Recommendation => {
    const { id, prequels } = anime[row]
    const tags: Recommendation['tags'] = []
    if (planned.has(id)) tags.push('planned')
    if (prequels.length > 0) tags.push('sequel')
    const reasons = reasonsOf(recommender, query, row, MAX_REASONS)
    return { id, affinity: affinity[row], predicted: query.predicted[row], tags, reasons }
  })
  return { rows, passing: order.length, candidates: candidates.length, taken }
}
