/** The page against tests/cases/recommendations.json: what recommend.py makes of made-up lists and options. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { Facts, Options, Wanted } from '../../src/taste/filters'
import type { Entries } from '../../src/taste/opinions'
import { explain, makeQuery, makeRecommender } from '../../src/taste/query'
import { recommend, withoutMuted } from '../../src/taste/recommend'
import { ROOT } from '../python'

interface Row {
  mal_id: number
  affinity: number
  predicted: (number | null)[]
  tags: string[]
  because: number[][]
}
interface Case {
  people: { scores: [number, number][]; statuses: [number, string][] }[]
  options: Record<string, Wanted[string]>
  explain: number
  answer: { rows: Row[]; removed: [string, number][]; explained: [number, number][]; explained_score: number }
}
interface Cases {
  graph: {
    n_embedding: number
    model: Parameters<typeof makeRecommender>[2]
    anime: Facts[]
    vectors: string
  }
  cases: Case[]
}

const table = readFileSync(resolve(ROOT, 'tests/cases/recommendations.json'), 'utf8')
const { graph, cases } = JSON.parse(table) as Cases
const vectors = new Float32Array(new Uint8Array(Buffer.from(graph.vectors, 'base64')).buffer)
const ids = graph.anime.map(({ id }) => id)
const recommender = makeRecommender(ids, vectors, graph.model)

const personOf = (list: Entries) => {
  const query = makeQuery(recommender, list)
  return query && { list, query }
}
const ask = (lists: Entries[], options: Partial<Options>) =>
  recommend(
    recommender,
    graph.anime,
    lists.map((list) => personOf(list)!),
    { number: 20, niche: 0, sequels: false, filters: {}, ...options },
  )

/** Python computes in float32 where it can. */
const isNear = (value: number, other: number) =>
  expect(Math.abs(value - other)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(other)))

test.each(cases.map((one, k) => [k, JSON.stringify(one.options), one] as const))(
  'case %i: %s',
  (_k, _options, { people, options, explain: id, answer }) => {
    const { number, niche, sequels, ...filters } = options
    const lists = people.map(({ scores, statuses }) => ({
      scores: new Map(scores),
      statuses: new Map(statuses),
    }))
    const { rows, removed } = ask(lists, {
      number: number as number,
      niche: (niche as number) ?? 0,
      sequels: sequels === true,
      filters,
    })
    expect(removed).toEqual(answer.removed)
    expect(rows.map((row) => [row.id, row.tags, row.reasons])).toEqual(
      answer.rows.map((row) => [row.mal_id, row.tags, row.because]),
    )
    rows.forEach(({ affinity, predicted }, rank) => {
      isNear(affinity, answer.rows[rank].affinity)
      predicted.forEach((score, person) => {
        const other = answer.rows[rank].predicted[person]
        // Python rounds to one decimal.
        if (score === null || other === null) expect(score).toBe(other)
        else expect(Math.abs(score - other)).toBeLessThanOrEqual(0.0501)
      })
    })
    const { query } = personOf(lists[0])!
    const terms = explain(recommender, query, recommender.rows.get(id)!)
    expect(terms.map((term) => term.id)).toEqual(answer.explained.map(([id]) => id))
    terms.forEach(({ share }, k) => {
      isNear(share, answer.explained[k][1])
    })
    isNear(query.predicted[recommender.rows.get(id)!], answer.explained_score)
  },
)

test('a list that says nothing of the known titles has no query', () => {
  const scores = new Map([
    [ids[0], 0],
    [999_999_999, 9],
  ])
  expect(personOf({ scores, statuses: new Map() })).toBeNull()
})

test('a reason that is taken out is named no more, and is not recommended either', () => {
  const scores = new Map([
    [ids[0], 9],
    [ids[1], 9],
  ])
  const { rows } = ask([withoutMuted({ scores, statuses: new Map() }, new Set([ids[0]]))], { number: 150 })
  expect(new Set(rows.flatMap(({ reasons }) => reasons.flat()))).toEqual(new Set([ids[1]]))
  expect(rows.map(({ id }) => id)).not.toContain(ids[0])
})
