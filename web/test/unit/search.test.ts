/** The search of the page against tests/cases/search.json, which recommend.py reads, too. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { Anime } from '../../src/data/graph'
import { makeIndex, search } from '../../src/data/search'
import { ROOT } from '../python'

interface Cases {
  anime: Anime[]
  cases: { text: string; found: (number | string)[] }[]
}
const { anime, cases } = JSON.parse(readFileSync(resolve(ROOT, 'tests/cases/search.json'), 'utf8')) as Cases
const index = makeIndex(anime)

test.each(cases)('$text', ({ text, found }) => {
  const results = search(index, text).map((result) =>
    'anime' in result ? result.anime.id : `${result.group.kind}:${result.group.name}`,
  )
  expect(results).toEqual(found)
})
