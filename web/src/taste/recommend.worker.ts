/** Recommends in a worker, so that the page stays responsive: a long list and 20,000 titles take seconds. */
import type { RecommendationModel } from '../data/graph'
import type { Facts, Options } from './filters'
import {
  explain,
  makeQuery,
  makeRecommender,
  predictedByOthers,
  type Query,
  type Recommender,
  type Term,
} from './query'
import { type Person, recommend, type Table, withoutMuted } from './recommend'
import type { UserList } from './scores'

/** The first message: what does not depend on the user. */
export interface Titles {
  anime: Facts[]
  vectors: Float32Array
  model: RecommendationModel
}
export interface Question {
  number: number
  /** The user's list, and those of others who watch together. */
  lists: UserList[]
  options: Options
  /** Whether the statistics of the first list are shown. */
  withTaste: boolean
}
export interface Answer {
  /** That of the question. */
  number: number
  /** Null if a list says nothing of this map's titles. */
  table: Table | null
  /** MAL id -> score that the first person is likely to give; null without a score on the map. */
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
/** The queries of the last question by their lists: a change of filters leaves them as they are. */
let queries = new Map<string, Query | null>()

/** Return the answer to one question. */
function answer({ number, lists, options, withTaste }: Question): Answer {
  const before = queries
  queries = new Map()
  const people: Person[] = []
  for (const { scores, statuses, muted } of lists) {
    const list = withoutMuted({ scores, statuses }, muted)
    const key = JSON.stringify([[...list.scores], [...list.statuses]])
    const query = before.has(key) ? before.get(key)! : makeQuery(recommender, list)
    queries.set(key, query)
    if (query) people.push({ list, query })
  }
  const [first] = people
  if (people.length < lists.length) return { number, table: null, predicted: null, byOthers: null }
  const filters = { ...options.filters, exclude: [...lists[0].unwanted] }
  const { scored, predicted } = first.query
  return {
    number,
    table: recommend(recommender, anime, people, { ...options, filters }),
    predicted: scored.length > 0 ? new Map(recommender.ids.map((id, row) => [id, predicted[row]])) : null,
    byOthers: withTaste ? predictedByOthers(recommender, first.query) : null,
  }
}

function explanation(id: number): Explanation {
  const [query] = queries.values()
  return { id, terms: query ? explain(recommender, query, recommender.rows.get(id)!) : [] }
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
