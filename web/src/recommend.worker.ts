/** Recommends in a worker, so that the page stays responsive: a long list and 20,000 titles take seconds. */
import type { Facts, Options } from './filters'
import { makeQuery, makeRecommender, type Query, type RecommendationModel, type Recommender } from './query'
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
}
export interface Answer {
  /** That of the question. */
  number: number
  /** Null if the list says nothing of this map's titles. */
  table: Table | null
}

let anime: Facts[]
let recommender: Recommender
/** The last query, which a change of filters leaves as it is. */
let last: { key: string; query: Query | null } | null = null

/** Return the answer to one question. */
function answer({ number, list, options }: Question): Answer {
  const entries = withoutMuted(list, list.muted)
  const key = JSON.stringify([[...entries.scores], [...entries.statuses], options.niche])
  if (last?.key !== key) last = { key, query: makeQuery(recommender, entries, options.niche) }
  const { query } = last
  return { number, table: query && recommend(recommender, anime, query, entries, list.unwanted, options) }
}

addEventListener('message', ({ data }: MessageEvent<Titles | Question>) => {
  if ('vectors' in data) {
    anime = data.anime
    recommender = makeRecommender(
      anime.map(({ id }) => id),
      data.vectors,
      data.model,
    )
  } else postMessage(answer(data))
})
