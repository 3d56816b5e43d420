/** Recommends in a worker, so that the page stays responsive: a long list and 20,000 titles take seconds. */
import type { Facts, Options } from './filters'
import {
  explain,
  makeQuery,
  makeRecommender,
  predictedByOthers,
  type Query,
  type RecommendationModel,
  type Recommender,
  type Term,
} from './query'
import { recommend, type Table, withoutMuted } from './recommend'
import type { UserList } from './scores'

/** The first message: what does not depend on the user. */
export interface Titles {
  anime: Facts[]
  vectors: Float32Array
  model: RecommendationModel
}
export interface Question {
  number: number
  list: UserList
  options: Options
  /** Whether the statistics of the list are shown. */
  withTaste: boolean
}
export interface Answer {
  /** That of the question. */
  number: number
  /** Null if the list says nothing of this map's titles. */
  table: Table | null
  /** MAL id -> score that the user is likely to give; null where no title of the map has a score. */
  predicted: Map<number, number> | null
  /** Of each title with a score, that which the others on the list predict; null where nobody asked. */
  byOthers: Map<number, number> | null
}
/** What the list of the last question says of one title. */
export interface TitleQuestion {
  explain: number
}
export interface Explanation {
  id: number
  /** What speaks for the title first. */
  terms: Term[]
}

let anime: Facts[]
let recommender: Recommender
/** The last query, which a change of filters leaves as it is. */
let last: { key: string; query: Query | null; byOthers: Map<number, number> | null } | null = null

/** Return the answer to one question. */
function answer({ number, list, options, withTaste }: Question): Answer {
  const entries = withoutMuted(list, list.muted)
  const key = JSON.stringify([[...entries.scores], [...entries.statuses]])
  if (last?.key !== key) last = { key, query: makeQuery(recommender, entries), byOthers: null }
  const { query } = last
  if (!query) return { number, table: null, predicted: null, byOthers: null }
  if (withTaste) last.byOthers ??= predictedByOthers(recommender, query)
  const isScored = query.known.some(({ isScored }) => isScored)
  return {
    number,
    table: recommend(recommender, anime, query, entries, list.unwanted, options),
    predicted: isScored ? new Map(recommender.ids.map((id, row) => [id, query.predicted[row]])) : null,
    byOthers: withTaste ? last.byOthers : null,
  }
}

function explanation(id: number): Explanation {
  const row = recommender.rows.get(id)!
  return { id, terms: last?.query ? explain(recommender, last.query, row) : [] }
}

addEventListener('message', ({ data }: MessageEvent<Titles | Question | TitleQuestion>) => {
  if ('vectors' in data) {
    anime = data.anime
    recommender = makeRecommender(
      anime.map(({ id }) => id),
      data.vectors,
      data.model,
    )
  } else postMessage('explain' in data ? explanation(data.explain) : answer(data))
})
