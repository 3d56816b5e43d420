/** The page against recommend.recommend() of recommend.py, run on the same vectors. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type AnimeGraph, parseGraph } from '../../src/graph'
import { makeRecommender, recommend } from '../../src/recommend'
import { WEB } from '../harness.mjs'
import { makeGraph, randomNumbers } from '../random-graph.mjs'

const ROOT = resolve(WEB, '..')
const IN_CHECKOUT = resolve(ROOT, '.venv/bin/python')
const PYTHON = process.env.PYTHON ?? (existsSync(IN_CHECKOUT) ? IN_CHECKOUT : 'python3')

/**
 * Reads graphs and people as JSON, writes for each person all recommendations with their three strongest
 * reasons. Vectors of float64 keep rounding out of the comparison; those of float32 are what a user has.
 */
const REFERENCE = `
import base64, json, sys
import numpy as np, pandas as pd
import recommend
answers = []
for case in json.load(sys.stdin):
    graph, ids = case['graph'], [title['id'] for title in case['graph']['anime']]
    vectors = np.frombuffer(base64.b64decode(graph['vectors']), '<f4').reshape(len(ids), graph['n_embedding'])
    frame = pd.DataFrame(vectors.astype(case['precision']), index=pd.Index(ids, name='mal_id'))
    model = graph['model']
    frame.attrs = {'mean': dict(zip(ids, model['mean'])), 'popularity': dict(zip(ids, model['popularity'])),
                   'whitening': model['whitening']}
    for scores in case['people']:
        scores = {int(mal_id): score for mal_id, score in scores}
        best = recommend.recommend(frame, scores, number=None)
        # The affinity is a sum over the person's titles: what one title adds is what it gives alone.
        alone = pd.DataFrame({mal_id: recommend.recommend(frame, {mal_id: score}, number=None)
                              for mal_id, score in scores.items() if score and mal_id in frame.index})
        reasons = []
        for mal_id in best.index[:20]:
            strongest = alone.loc[mal_id].sort_values(ascending=False, kind='stable').head(3)
            reasons.append(strongest[strongest > 0].index.tolist())
        answers.append({'ids': best.index.tolist(), 'affinity': best.tolist(), 'reasons': reasons})
json.dump(answers, sys.stdout)
`

interface Answer {
  ids: number[]
  affinity: number[]
  reasons: number[][]
}
interface Case {
  name: string
  graph: ReturnType<typeof makeGraph>
  people: [number, number][][]
  precision: string
}

function makePeople(ids: number[], sizes: number[]): [number, number][][] {
  const random = randomNumbers(7)
  return sizes.map((size) => {
    const scores = new Map<number, number>([[999_999_999, 10]])
    // Score 0: on the list, so it is not recommended, but without a score.
    while (scores.size <= size) scores.set(ids[Math.floor(random() * ids.length)], Math.floor(random() * 11))
    scores.set(ids[3], 9)
    return [...scores]
  })
}

const sample = JSON.parse(readFileSync(resolve(WEB, 'sample/graph.json'), 'utf8'))
const generated = makeGraph(1500)
const cases: Case[] = ['float64', 'float32'].flatMap((precision) => [
  {
    name: 'the sample',
    graph: sample,
    people: makePeople(
      sample.anime.map((one: { id: number }) => one.id),
      [1, 5, 40],
    ),
    precision,
  },
  {
    name: '1,500 titles',
    graph: generated,
    people: makePeople(
      generated.anime.map(({ id }) => id),
      [3, 60, 300],
    ),
    precision,
  },
])
let answers: Answer[]

const recommenderOf = ({ anime, vectors, model }: AnimeGraph) =>
  makeRecommender(
    anime.map(({ id }) => id),
    vectors,
    model!,
  )

beforeAll(() => {
  const python = spawnSync(PYTHON, ['-c', REFERENCE], {
    cwd: ROOT,
    input: JSON.stringify(cases),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (python.status !== 0)
    throw new Error(
      `${PYTHON} cannot run recommend.recommend (PYTHON=... names another Python): ${python.error ?? python.stderr}`,
    )
  answers = JSON.parse(python.stdout)
}, 60_000)

describe.each(
  cases
    .flatMap(({ people, ...one }) => people.map((person) => ({ ...one, person, size: person.length })))
    .map((one, k) => ({ ...one, k })),
)('on $name, for a list of $size, against $precision', ({ graph, person, precision, k }) => {
  const parsed = parseGraph(JSON.stringify(graph), 'http://localhost/')
  const recommender = recommenderOf(parsed)
  const recommendations = recommend(recommender, new Map(person))
  /**
   * In float32, products of vectors that are nearly at right angles are mostly rounding, so small affinities
   * are too.
   */
  const tolerance = (affinity: number) =>
    precision === 'float64' ? 2e-6 * affinity : 1e-5 * affinity + 1e-8 * answers[k].affinity[0]

  test('the same titles, all with the same affinities', () => {
    const { ids, affinity } = answers[k]
    const reference = new Map(ids.map((id, rank) => [id, affinity[rank]]))
    expect(new Set(recommendations.map(({ id }) => id))).toEqual(new Set(ids))
    for (const { id, affinity } of recommendations)
      expect(Math.abs(affinity - reference.get(id)!)).toBeLessThanOrEqual(tolerance(affinity))
  })
  test('in the same order; only titles whose affinities the tolerance cannot tell apart may change ranks', () => {
    const { ids, affinity } = answers[k]
    const reference = new Map(ids.map((id, rank) => [id, affinity[rank]]))
    expect(recommendations.slice(0, 50).map(({ id }) => id)).toEqual(ids.slice(0, 50))
    recommendations.forEach(({ id }, rank) => {
      expect(Math.abs(reference.get(id)! - affinity[rank])).toBeLessThanOrEqual(tolerance(affinity[rank]))
    })
  })
  test('the same reasons', () => {
    expect(recommendations.slice(0, 20).map(({ reasons }) => reasons)).toEqual(answers[k].reasons)
  })
  test('nothing that is on the list', () => {
    const listed = new Set(person.map(([id]) => id))
    expect(recommendations.some(({ id }) => listed.has(id))).toBe(false)
  })
})

test('puts a title with a zero vector last', () => {
  const parsed = parseGraph(JSON.stringify(generated), 'http://localhost/')
  parsed.vectors.fill(0, 50, 100)
  const recommendations = recommend(recommenderOf(parsed), new Map([[parsed.anime[0].id, 9]]))
  expect(recommendations.find(({ id }) => id === parsed.anime[1].id)).toMatchObject({
    affinity: 0,
    reasons: [],
  })
})

test('nothing without a score for a known title', () => {
  const parsed = parseGraph(JSON.stringify(generated), 'http://localhost/')
  const recommender = recommenderOf(parsed)
  expect(recommend(recommender, new Map())).toEqual([])
  expect(
    recommend(
      recommender,
      new Map([
        [parsed.anime[0].id, 0],
        [999_999_999, 9],
      ]),
    ),
  ).toEqual([])
})
