/** Statistics of a list. */
import { expect, test } from 'vitest'
import { parseGraph } from '../../src/data/graph'
import type { Facts } from '../../src/taste/filters'
import { makeQuery, makeRecommender, predictedByOthers } from '../../src/taste/query'
import { likedGenres, surprises } from '../../src/taste/taste'
import { makeGraph } from '../random-graph.mjs'

const graph = parseGraph(JSON.stringify(makeGraph(200)))
const ids = graph.anime.map(({ id }) => id)
const scored = ids.slice(0, 40).map((id, k): [number, number] => [id, 1 + ((k * 7) % 10)])

test('what the others predict is what the list predicts without the title', () => {
  const recommender = makeRecommender(ids, graph.vectors, graph.model)
  const entriesOf = (scores: [number, number][]) => ({ scores: new Map(scores), statuses: new Map() })
  const byOthers = predictedByOthers(recommender, makeQuery(recommender, entriesOf(scored))!)
  expect([...byOthers.keys()]).toEqual(scored.map(([id]) => id))
  for (const [left, [id]] of scored.entries()) {
    const without = makeQuery(recommender, entriesOf(scored.filter((_, k) => k !== left)))!
    expect(byOthers.get(id)).toBeCloseTo(without.predicted[ids.indexOf(id)], 9)
  }
})

const UNKNOWN = { franchise: null, season: null, rating: null, unscored: false, studios: [] }

test('genres that are liked above the mean, and only those with three titles', () => {
  const facts = (id: number, ...genres: string[]): [number, Facts] => [
    id,
    { id, genres, media_type: null, year: null, mean: null, prequels: [], ...UNKNOWN },
  ]
  const byId = new Map([
    facts(1, 'Drama', 'Music'),
    facts(2, 'Drama'),
    facts(3, 'Drama', 'Action'),
    facts(4, 'Action'),
    facts(5, 'Action'),
  ])
  const scores: [number, number][] = [
    [1, 10],
    [2, 9],
    [3, 8],
    [4, 5],
    [5, 3],
  ]
  expect(likedGenres(byId, scores)).toEqual([{ name: 'Drama', titles: 3, above: 2 }])
})

test('the most surprising scores come first', () => {
  const predicted = new Map([
    [1, 7],
    [2, 7],
  ])
  const scores: [number, number][] = [
    [1, 8],
    [2, 3],
    [3, 9],
  ]
  expect(surprises(scores, predicted).map(({ id }) => id)).toEqual([2, 1])
})
