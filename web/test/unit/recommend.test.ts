/** The page against embeddings.recommend itself, run on the same vectors. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseGraph } from '../../src/graph'
import { makeRecommender, recommend } from '../../src/recommend'
import { makeGraph, randomNumbers, WEB } from '../harness.mjs'

const ROOT = resolve(WEB, '..')
const IN_CHECKOUT = resolve(ROOT, '.venv/bin/python')
const PYTHON = process.env.PYTHON ?? (existsSync(IN_CHECKOUT) ? IN_CHECKOUT : 'python3')

/**
 * Reads graphs and persons as JSON, writes for each person all recommendations with the strongest three reasons. Vectors of
 * float64 take the rounding of vectors and their products out of the comparison; those of float32 are what a user has.
 */
const REFERENCE = `
import base64, json, sys
import numpy as np, pandas as pd
import embeddings
answers = []
for case in json.load(sys.stdin):
    graph, ids = case['graph'], [title['id'] for title in case['graph']['anime']]
    vectors = np.frombuffer(base64.b64decode(graph['vectors']), '<f4').reshape(len(ids), 50)
    frame = pd.DataFrame(vectors.astype(case['precision']), index=pd.Index(ids, name='mal_id'))
    model = graph['settings']['recommend']
    frame.attrs = {name: dict(zip(ids, values)) if len(values) == len(ids) else values
                   for name, values in model.items() if isinstance(values, list)}
    for scores in case['persons']:
        scores = {int(mal_id): score for mal_id, score in scores}
        best = embeddings.recommend(frame, scores, number=None)
        # Affinity is a sum over the person's titles, so what one of them adds is what it would give alone.
        alone = pd.DataFrame({mal_id: embeddings.recommend(frame, {mal_id: score}, number=None)
                              for mal_id, score in scores.items() if score and mal_id in frame.index})
        because = []
        for mal_id in best.index[:20]:
            speaks = alone.loc[mal_id].sort_values(ascending=False, kind='stable').head(3)
            because.append(speaks[speaks > 0].index.tolist())
        answers.append({'ids': best.index.tolist(), 'affinity': best.tolist(), 'because': because})
json.dump(answers, sys.stdout)
`

interface Answer {
  ids: number[]
  affinity: number[]
  because: number[][]
}
interface Case {
  name: string
  graph: ReturnType<typeof makeGraph>
  persons: [number, number][][]
  precision: string
}

function makePersons(ids: number[], sizes: number[]): [number, number][][] {
  const random = randomNumbers(7)
  return sizes.map((size) => {
    const scores = new Map<number, number>([[999_999_999, 10]])
    // Score 0: on the list, and not to be recommended, but without a word on taste.
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
    persons: makePersons(
      sample.anime.map((one: { id: number }) => one.id),
      [1, 5, 40],
    ),
    precision,
  },
  {
    name: '1,500 titles',
    graph: generated,
    persons: makePersons(
      generated.anime.map(({ id }) => id),
      [3, 60, 300],
    ),
    precision,
  },
])
let answers: Answer[]

beforeAll(() => {
  const python = spawnSync(PYTHON, ['-c', REFERENCE], {
    cwd: ROOT,
    input: JSON.stringify(cases),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (python.status !== 0)
    throw new Error(
      `${PYTHON} can not run embeddings.recommend (name another by PYTHON=...): ${python.error ?? python.stderr}`,
    )
  answers = JSON.parse(python.stdout)
}, 60_000)

describe.each(
  cases
    .flatMap(({ persons, ...one }) => persons.map((person) => ({ ...one, person, size: person.length })))
    .map((one, k) => ({ ...one, k })),
)('on $name, for a list of $size, against $precision', ({ graph, person, precision, k }) => {
  const parsed = parseGraph(JSON.stringify(graph), 'http://localhost/')
  const recommender = makeRecommender(
    parsed.anime.map(({ id }) => id),
    parsed.vectors,
    parsed.model!,
  )
  const recommendations = recommend(recommender, new Map(person))
  /** In float32, products of vectors that are nearly at right angles are mostly rounding, so small affinities are too. */
  const tolerance = (affinity: number) =>
    precision === 'float64' ? 2e-6 * affinity : 1e-5 * affinity + 1e-8 * answers[k].affinity[0]

  test('the same titles, all with the same affinities', () => {
    const { ids, affinity } = answers[k]
    const reference = new Map(ids.map((id, place) => [id, affinity[place]]))
    expect(new Set(recommendations.map(({ id }) => id))).toEqual(new Set(ids))
    for (const { id, affinity } of recommendations)
      expect(Math.abs(affinity - reference.get(id)!)).toBeLessThanOrEqual(tolerance(affinity))
  })
  test('in the same order; only titles whose affinities the tolerance can not tell apart may change places', () => {
    const { ids, affinity } = answers[k]
    const reference = new Map(ids.map((id, place) => [id, affinity[place]]))
    expect(recommendations.slice(0, 50).map(({ id }) => id)).toEqual(ids.slice(0, 50))
    recommendations.forEach(({ id }, place) => {
      expect(Math.abs(reference.get(id)! - affinity[place])).toBeLessThanOrEqual(tolerance(affinity[place]))
    })
  })
  test('the same reasons', () => {
    expect(recommendations.slice(0, 20).map(({ because }) => because)).toEqual(answers[k].because)
  })
  test('nothing that is on the list', () => {
    const listed = new Set(person.map(([id]) => id))
    expect(recommendations.some(({ id }) => listed.has(id))).toBe(false)
  })
})

test('puts last what has a vector without direction', () => {
  const parsed = parseGraph(JSON.stringify(generated), 'http://localhost/')
  const vectors = parsed.vectors.fill(0, 50, 100)
  const recommendations = recommend(
    makeRecommender(
      parsed.anime.map(({ id }) => id),
      vectors,
      parsed.model!,
    ),
    new Map([[parsed.anime[0].id, 9]]),
  )
  expect(recommendations.find(({ id }) => id === parsed.anime[1].id)).toMatchObject({
    affinity: 0,
    because: [],
  })
})

test('nothing from scores that say nothing', () => {
  const parsed = parseGraph(JSON.stringify(generated), 'http://localhost/')
  const recommender = makeRecommender(
    parsed.anime.map(({ id }) => id),
    parsed.vectors,
    parsed.model!,
  )
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
