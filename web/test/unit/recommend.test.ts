/** The page against recommend.recommendation_table() of recommend.py, run on the same vectors. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseGraph } from '../../src/data/graph'
import type { Options } from '../../src/taste/filters'
import { explain, makeQuery, makeRecommender, type Term } from '../../src/taste/query'
import { recommend, type Table, withoutMuted } from '../../src/taste/recommend'
import { EMPTY, type UserList } from '../../src/taste/scores'
import { WEB } from '../harness.mjs'
import { PYTHON, ROOT } from '../python'
import { makeGraph, randomNumbers } from '../random-graph.mjs'

/** Reads graphs and questions as JSON, writes the whole table of each, or how many titles each filter took. */
const REFERENCE = `
import base64, json, re, sys
import numpy as np, pandas as pd
import recommend
from aniembed.files import RunError
answers = []
for case in json.load(sys.stdin):
    graph, ids = case['graph'], [title['id'] for title in case['graph']['anime']]
    vectors = np.frombuffer(base64.b64decode(graph['vectors']), '<f4').reshape(len(ids), graph['n_embedding'])
    frame = pd.DataFrame(vectors, index=pd.Index(ids, name='mal_id'))
    frame.attrs = {name: dict(zip(ids, value)) if name in ('mean', 'popularity') else value
                   for name, value in graph['model'].items()}
    anime = pd.DataFrame(graph['anime'], index=frame.index, dtype=object)
    for name in ('prequels', 'franchise'):
        if name not in anime:
            anime[name] = None
    for scores, statuses, options, title in case['questions']:
        scores, statuses = dict(scores), dict(statuses)
        said = recommend.explanation(frame, anime, scores, title, statuses, options['niche'])
        answer = {'explained': said['mal_id'].tolist(), 'share': said['share'].tolist(), **said.attrs}
        answers.append(answer)
        try:
            table = recommend.recommendation_table(frame, anime, scores, statuses, number=len(ids), **options)
        except RunError as error:
            answer['taken'] = [int(n.replace(',', '')) for n in re.findall(r'takes ([\\d,]+)', str(error))]
            continue
        names = ['mal_id', 'affinity', 'tags', 'because']
        answer |= {name: table[name].tolist() for name in names} | {'scores': table['predicted'].tolist()}
json.dump(answers, sys.stdout)
`

interface Question {
  list: UserList
  options: Options
  /** MAL id of a title that is explained. */
  title: number
}
interface Case {
  name: string
  graph: ReturnType<typeof makeGraph>
  questions: Question[]
}
interface Answer {
  mal_id: number[]
  affinity: number[]
  scores: number[]
  tags: string[][]
  because: number[][]
  /** Instead of the table, where nothing is left. */
  taken?: number[]
  /** explanation() of the question's title, and its predicted score. */
  explained: number[]
  share: number[]
  predicted: number
}

const STATUSES = ['completed', 'watching', 'on_hold', 'dropped', 'plan_to_watch']

/** Return a list of `size` random entries of a graph, and one that the graph does not know. */
function makeList(ids: number[], size: number, random: () => number): UserList {
  const pick = <T>(values: T[]) => values[Math.floor(random() * values.length)]
  const scores = new Map([[999_999_999, 10]])
  const statuses = new Map<number, string>()
  while (scores.size <= size) scores.set(pick(ids), pick([0, 0, 2, 4.5, 6, 7, 8, 9, 10]))
  for (const id of scores.keys()) if (random() < 0.8) statuses.set(id, pick(STATUSES))
  scores.set(ids[3], 9)
  const some = (share: number) => new Set(ids.filter(() => random() < share))
  return { scores, statuses, unwanted: some(0.05), muted: some(0.02) }
}

function makeOptions(number: number, random: () => number): Options {
  const maybe = <T>(value: T, otherwise: T, chance = 0.25) => (random() < chance ? value : otherwise)
  return {
    number,
    types: maybe(['TV', 'movie'], []),
    firstYear: maybe(2000, null),
    lastYear: maybe(2015, null),
    genres: maybe(['Drama'], []),
    notGenres: maybe(['Comedy', 'Fantasy'], []),
    minScore: maybe(7.5, null),
    planned: maybe('only', maybe<Options['planned']>('no', 'also'), 0.15),
    niche: maybe(1, maybe(0.5, 0)),
    sequels: maybe(true, false, 0.4),
  }
}

const sample = JSON.parse(readFileSync(resolve(WEB, 'sample/graph.json'), 'utf8'))
const generated = makeGraph(1500)

function makeCase(name: string, graph: Case['graph'], sizes: number[]): Case {
  const random = randomNumbers(sizes.length)
  const ids = graph.anime.map(({ id }) => id)
  const questions = sizes.map((size) => ({
    list: makeList(ids, size, random),
    options: makeOptions(ids.length, random),
    title: ids[Math.floor(random() * ids.length)],
  }))
  return { name, graph, questions }
}
const sizes = Array.from({ length: 40 }, (_, k) => [1, 3, 10, 30, 60][k % 5])
const cases = [makeCase('the sample', sample, sizes), makeCase('1,500 titles', generated, [...sizes, 300])]

/** Return the options as keywords of recommendation_table(). */
const keywords = ({ list, options }: Question) => ({
  ...(options.types.length > 0 && { types: options.types }),
  ...((options.firstYear ?? options.lastYear) !== null && { years: [options.firstYear, options.lastYear] }),
  ...(options.genres.length > 0 && { genres: options.genres }),
  ...(options.notGenres.length > 0 && { not_genres: options.notGenres }),
  min_score: options.minScore,
  exclude: [...list.unwanted],
  planned: options.planned,
  niche: options.niche,
  sequels: options.sequels,
})

const parsed = new Map(
  [sample, generated].map((graph) => [graph, parseGraph(JSON.stringify(graph), 'http://localhost/')]),
)

/** Return the table of the page and what it says of the question's title; null where the list says nothing. */
function ask(
  graph: Case['graph'],
  { list, options, title }: Omit<Question, 'title'> & { title?: number },
  spoil = (_vectors: Float32Array) => {},
) {
  const { anime, model, ...known } = parsed.get(graph)!
  const vectors = known.vectors.slice()
  spoil(vectors)
  const recommender = makeRecommender(
    anime.map(({ id }) => id),
    vectors,
    model!,
  )
  const entries = withoutMuted(list, list.muted)
  const query = makeQuery(recommender, entries)
  if (!query) return null
  const row = recommender.rows.get(title ?? anime[0].id)!
  return {
    ...recommend(recommender, anime, query, entries, list.unwanted, options),
    terms: explain(recommender, query, row),
    likely: query.predicted[row],
  }
}

let answers: Answer[]

beforeAll(() => {
  const input = cases.map(({ graph, questions }) => ({
    graph,
    questions: questions.map((question) => {
      const { scores, statuses } = withoutMuted(question.list, question.list.muted)
      return [[...scores], [...statuses], keywords(question), question.title]
    }),
  }))
  const python = spawnSync(PYTHON, ['-c', REFERENCE], {
    cwd: ROOT,
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (python.status !== 0)
    throw new Error(
      `${PYTHON} cannot run recommend.py (PYTHON=... names another Python): ${python.error ?? python.stderr}`,
    )
  answers = JSON.parse(python.stdout)
}, 120_000)

/** Of the largest affinity: both sides compute in float64. */
const TOLERANCE = 1e-9

function compare(table: Table, answer: Answer) {
  if (answer.taken) {
    expect(table.passing).toBe(0)
    expect(table.taken.map(([, number]) => number)).toEqual(answer.taken)
    return
  }
  const ids = table.rows.map(({ id }) => id)
  const tolerance = TOLERANCE * Math.max(...answer.affinity.map(Math.abs))
  const reference = new Map(answer.mal_id.map((id, rank) => [id, rank]))
  expect(new Set(ids)).toEqual(new Set(answer.mal_id))
  expect(ids.slice(0, 50)).toEqual(answer.mal_id.slice(0, 50))
  table.rows.forEach(({ id, affinity, predicted, tags, reasons }, rank) => {
    const same = reference.get(id)!
    // Only titles whose affinities the tolerance cannot tell apart may change ranks.
    for (const other of [answer.affinity[same], answer.affinity[rank]])
      expect(Math.abs(affinity - other)).toBeLessThanOrEqual(tolerance)
    // Python rounds to one decimal.
    expect(Math.abs(predicted - answer.scores[same])).toBeLessThanOrEqual(0.05 + 1e-9)
    expect(tags).toEqual(answer.tags[same])
    expect(reasons).toEqual(answer.because[same])
  })
}

function compareTerms(terms: Term[], likely: number, { explained, share, predicted }: Answer) {
  expect(terms.map(({ id }) => id)).toEqual(explained)
  terms.forEach((term, k) => {
    expect(Math.abs(term.share - share[k])).toBeLessThanOrEqual(TOLERANCE)
  })
  expect(Math.abs(likely - predicted)).toBeLessThanOrEqual(TOLERANCE)
}

describe('every title, with every option', () => {
  let number = 0
  for (const { name, graph, questions } of cases) {
    const first = number
    number += questions.length
    test(`on ${name}, ${questions.length} lists`, () => {
      const told = answers.slice(first, first + questions.length)
      for (const [k, question] of questions.entries())
        try {
          const found = ask(graph, question)!
          compare(found, told[k])
          compareTerms(found.terms, found.likely, told[k])
        } catch (error) {
          throw new Error(`question ${k}, ${JSON.stringify(question.options)}: ${error}`, { cause: error })
        }
      // Most questions leave titles, so that the comparison means something.
      const many = (has: (answer: Answer) => boolean) =>
        expect(told.filter(has).length).toBeGreaterThan(told.length / 2)
      many(({ mal_id }) => mal_id?.length > 3)
      many(({ share }) => share.some((part) => part > 0) && share.some((part) => part < 0))
    })
  }
})

const PLAIN: Options = { ...makeOptions(1500, () => 1) }

test('a zero vector has no reasons', () => {
  const ids = generated.anime.map(({ id }) => id)
  const list = { ...EMPTY, scores: new Map([[ids[0], 9]]) }
  const { rows } = ask(generated, { list, options: { ...PLAIN, sequels: true } }, (vectors) =>
    vectors.fill(0, 50, 100),
  )!
  expect(rows.find(({ id }) => id === ids[1])).toMatchObject({ affinity: expect.any(Number), reasons: [] })
})

test('a list that says nothing of the known titles has no table', () => {
  const scores = new Map([
    [generated.anime[0].id, 0],
    [999_999_999, 9],
  ])
  for (const list of [EMPTY, { ...EMPTY, scores }])
    expect(ask(generated, { list, options: PLAIN })).toBeNull()
})

test('a reason that is taken out is named no more, and is not recommended either', () => {
  const [first, second] = generated.anime.map(({ id }) => id)
  const scores = new Map([
    [first, 9],
    [second, 9],
  ])
  const { rows } = ask(generated, {
    list: { ...EMPTY, scores, muted: new Set([first]) },
    options: PLAIN,
  })!
  expect(new Set(rows.flatMap(({ reasons }) => reasons))).toEqual(new Set([second]))
  expect(rows.map(({ id }) => id)).not.toContain(first)
})
