/** recommendation_table() of recommend.py: the same options, formulas and order. */
import { bestOfFranchise, conditions, type Facts, narrow, notBeforeItsPrequel, type Options } from './filters'
import { type Entries, plannedTitles, seenTitles } from './opinions'
import { affinityOf, type Query, type Recommender, reasonsOf } from './query'

export interface Recommendation {
  id: number
  /** Of several people, that of together(). */
  affinity: number
  /** The score that each person is likely to give, 1 to 10; null where nothing is known of the title. */
  predicted: (number | null)[]
  tags: ('planned' | 'sequel' | 'new')[]
  /** Of each person, the titles that add most to the affinity, the strongest first. */
  reasons: number[][]
}

export interface Table {
  /** Best first, at most as many as the options say. */
  rows: Recommendation[]
  /** Titles that pass. */
  passing: number
  /** Titles that are not on a list, or only planned. */
  candidates: number
  /** How many titles each filter removes, in their order. */
  removed: [name: string, number: number][]
}

/** A list, and what it says of every title. */
export interface Person {
  list: Entries
  query: Query
}

const MAX_REASONS = 3

/** Return the list as the query reads it: what is taken out as a reason is there, but says nothing. */
export function withoutMuted({ scores, statuses }: Entries, muted: ReadonlySet<number>): Entries {
  return {
    scores: new Map([...scores].map(([id, score]) => [id, muted.has(id) ? 0 : score])),
    statuses: new Map([...statuses].filter(([id]) => !muted.has(id))),
  }
}

/** Return what is on a list and not only planned, what is only planned, and what all have seen. */
function titlesOf(people: Person[]) {
  const plans = new Set(people.flatMap(({ list }) => [...plannedTitles(list)]))
  const listed = new Set(
    people.flatMap(({ list }) => {
      const planned = plannedTitles(list)
      return [...list.scores.keys()].filter((id) => !planned.has(id))
    }),
  )
  const [seen, ...others] = people.map(({ list }) => seenTitles(list))
  return {
    listed,
    planned: new Set([...plans].filter((id) => !listed.has(id))),
    seen: new Set([...seen].filter((id) => others.every((other) => other.has(id)))),
  }
}

/**
 * Return the geometric mean of the people's affinities; what is below a small share of a person's highest is
 * raised to that. One person's stay as they are.
 */
function together(affinities: Float64Array[], share: number): Float64Array {
  if (affinities.length === 1) return affinities[0]
  const floors = affinities.map((one) =>
    Math.max(share * one.reduce((a, b) => Math.max(a, b)), Number.MIN_VALUE),
  )
  return affinities[0].map((_, row) => {
    const logs = affinities.map((one, person) => Math.log(Math.max(one[row], floors[person])))
    return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length)
  })
}

/** Return whether neither lists nor genres, studios or prequels say what a title is. */
const isUnknown = ({ unscored, genres, studios, prequels }: Facts) =>
  unscored && genres.length + studios.length + prequels.length === 0

/** Return the best titles for one person, or for several. `anime`: in the order of the recommender's ids. */
export function recommend(
  recommender: Recommender,
  anime: Facts[],
  people: Person[],
  options: Options,
): Table {
  const { listed, planned, seen } = titlesOf(people)
  const candidates = [...anime.keys()].filter((row) => !listed.has(anime[row].id))
  const filters = conditions(options.filters, planned)
  if (!options.sequels)
    filters.push(['sequel of something unseen', (title) => notBeforeItsPrequel(title, seen)])
  const { rows: passing, removed } = narrow(anime, candidates, filters)
  const affinities = people.map(({ query }) => affinityOf(recommender, query, options.niche))
  const affinity = together(affinities, recommender.model.constants.together_floor)
  let order = passing.sort((a, b) => affinity[b] - affinity[a])
  if (!options.sequels) order = bestOfFranchise(anime, order)
  const rows = order.slice(0, options.number).map((row): Recommendation => {
    const { id, prequels, unscored } = anime[row]
    const tags: Recommendation['tags'] = []
    if (planned.has(id)) tags.push('planned')
    if (prequels.length > 0) tags.push('sequel')
    if (unscored) tags.push('new')
    return {
      id,
      affinity: affinity[row],
      predicted: people.map(({ query }) => (isUnknown(anime[row]) ? null : query.predicted[row])),
      tags,
      reasons: people.map(({ query }) => reasonsOf(recommender, query, row, MAX_REASONS)),
    }
  })
  return { rows, passing: order.length, candidates: candidates.length, removed }
}
