/** The user's list: what an import does to it, and what the browser stores. */
import { JSDOM } from 'jsdom'
import { expect, test } from 'vitest'
import { parseList } from '../../src/data/listfile'
import { EMPTY, imported, parseStored, rated, storedText, toggled, undone } from '../../src/taste/scores'

globalThis.DOMParser = new JSDOM().window.DOMParser

const file = (...entries: [id: number, score: string, status: string][]) =>
  parseList(
    `<myanimelist>${entries
      .map(
        ([id, score, status]) =>
          `<anime><series_animedb_id>${id}</series_animedb_id><my_score>${score}</my_score><my_status>${status}</my_status></anime>`,
      )
      .join('')}</myanimelist>`,
  )

test('an import adds and replaces scores, but its "no score" wipes none', () => {
  let list = imported(EMPTY, file([1, '8', 'Completed'], [2, '7.5', 'Dropped'], [3, '0', 'Plan to Watch']))
  list = imported(list, file([1, '0', 'Watching'], [2, '9', ''], [3, '-', 'Completed'], [4, '6', '']))
  expect([...list.scores]).toEqual([
    [1, 8],
    [2, 9],
    [3, 0],
    [4, 6],
  ])
  expect([...list.statuses]).toEqual([
    [1, 'watching'],
    [2, 'dropped'],
    [3, 'completed'],
  ])
})

test('a score of a title keeps its status; without either the title is off the list', () => {
  const list = rated(imported(EMPTY, file([3, '0', 'Plan to Watch'])), 3, 9)
  expect([list.scores.get(3), list.statuses.get(3)]).toEqual([9, 'plan_to_watch'])
  expect(rated(list, 3, null)).toEqual(EMPTY)
})

test('what is stored is read as it was', () => {
  let list = imported(EMPTY, file([1, '7,5', 'Completed'], [2, '', '']))
  for (const id of [5, 6, 5]) list = toggled(list, 'unwanted', id)
  list = toggled(list, 'muted', 1)
  expect(parseStored(storedText(list))).toEqual(list)
  expect([...list.unwanted]).toEqual([6])
})

test('what another program stored is no list', () => {
  for (const text of ['', 'no JSON', 'null', '7', '{}']) expect(parseStored(text)).toEqual(EMPTY)
})

test('a change is undone without what another tab has changed since', () => {
  const before = toggled(rated(rated(EMPTY, 1, 5), 2, 6), 'muted', 2)
  const after = toggled(toggled(rated(rated(rated(before, 1, 9), 2, null), 3, 7), 'muted', 2), 'unwanted', 4)
  const now = toggled(rated(rated(after, 3, 8), 10, 10), 'unwanted', 11)
  expect(undone(now, { before, after })).toEqual({
    scores: new Map([
      [1, 5],
      [3, 8],
      [10, 10],
      [2, 6],
    ]),
    statuses: new Map(),
    unwanted: new Set([11]),
    muted: new Set([2]),
  })
  expect(undone(after, { before, after })).toEqual(before)
})
