/** Damaged files end in a sentence, or work: the same cases in every run. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { JSDOM } from 'jsdom'
import { expect, test } from 'vitest'
import { FileError } from '../../src/data/file'
import { type AnimeGraph, parseGraph } from '../../src/data/graph'
import { readListFile } from '../../src/data/listfile'
import { makeIndex, search } from '../../src/data/search'
import type { Options } from '../../src/taste/filters'
import { makeQuery, makeRecommender } from '../../src/taste/query'
import { recommend } from '../../src/taste/recommend'
import { damageBytes, damagedGraph, damagedList } from '../damage.mjs'
import { ROOT } from '../python'
import { randomNumbers } from '../random-graph.mjs'

globalThis.DOMParser = new JSDOM().window.DOMParser

const OPTIONS: Options = { number: 1000, niche: 0, sequels: true, filters: {} }

/** Throw where the page would fail with the graph. */
function use(graph: AnimeGraph) {
  const { anime, byId, clusters, neighbours, vectors, model, pictureOrigin } = graph
  expect(byId.size).toBe(anime.length)
  expect(vectors.length).toBe(graph.nEmbedding * anime.length)
  expect(vectors.every(Number.isFinite)).toBe(true)
  expect(new Set(clusters.map(({ id }) => id)).size).toBe(clusters.length)
  expect(clusters.reduce((sum, { size }) => sum + size, 0)).toBe(anime.length)
  for (const { color } of clusters) expect(color.light + color.dark).toMatch(/^(#[0-9a-f]{6}){2}$/)
  for (const { id, title, x, y, cluster, picture, mean, year } of anime) {
    expect(Number.isSafeInteger(id) && id > 0 && title.trim() !== '' && clusters.includes(cluster)).toBe(true)
    expect([x, y, mean ?? 0, year ?? 0].every(Number.isFinite)).toBe(true)
    expect(picture === null || picture.startsWith(`${pictureOrigin}/`)).toBe(true)
    for (const near of neighbours.get(id)!)
      expect(byId.has(near.id) && near.id !== id && Math.abs(near.similarity) <= 1).toBe(true)
  }
  const found = search(makeIndex(anime), anime[0].title)
  expect(found.some((one) => 'anime' in one && one.anime === anime[0])).toBe(true)
  const list = { scores: new Map([[anime[0].id, 9]]), statuses: new Map() }
  const ids = anime.map(({ id }) => id)
  const recommender = makeRecommender(ids, vectors, model)
  const query = makeQuery(recommender, list)!
  const { rows } = recommend(recommender, anime, [{ list, query }], OPTIONS)
  expect(rows).toHaveLength(anime.length - 1)
  for (const { affinity } of rows) expect(affinity).toSatisfy(Number.isFinite)
}

/**
 * Try `times` cases: each works, or ends in a FileError with a sentence; both happen at least `least` times.
 */
async function tryCases(times: number, least: number, open: (number: number) => Promise<void>) {
  const ends = { works: 0, sentence: 0 }
  for (let number = 0; number < times; number++) {
    try {
      await open(number)
      ends.works++
    } catch (error) {
      if (!(error instanceof FileError)) throw new Error(`case ${number}: ${error}`, { cause: error })
      expect(error.message).toMatch(/^[A-Z].*\.$/)
      ends.sentence++
    }
  }
  expect(Math.min(ends.works, ends.sentence)).toBeGreaterThan(least)
}

test('1,000 graphs', async () => {
  const random = randomNumbers(8)
  await tryCases(1000, 10, async () => {
    use(parseGraph(damagedGraph(random, 'https://covers.test/')))
  })
})

test('1,000 lists, every other one gzipped', async () => {
  const random = randomNumbers(9)
  await tryCases(1000, 200, async (number) => {
    const text = damagedList(random)
    const bytes = number % 2 ? damageBytes(random, gzipSync(text)) : Buffer.from(text)
    const { scores } = await readListFile(new Blob([bytes]))
    expect(scores.size).toBeGreaterThan(0)
    for (const [id, score] of scores) {
      expect(Number.isSafeInteger(id) && id > 0).toBe(true)
      expect(score >= 0 && score <= 10).toBe(true)
    }
  })
})

test('1,000 zip archives', async () => {
  const random = randomNumbers(10)
  const wholes = ['75_animelist.zip', '75_zip_named.xml', '75_zip_from_a_stream.zip'].map((name) =>
    readFileSync(resolve(ROOT, 'tests/cases/exports', name)),
  )
  await tryCases(1000, 100, async (number) => {
    const { scores } = await readListFile(new Blob([damageBytes(random, wholes[number % 3])]))
    expect([...scores.keys()]).toEqual([20, 1535])
  })
})
