import { expect, test } from 'vitest'
import type { Anime } from '../../src/data/graph'
import { makeLabels } from '../../src/map/labels'

function labelsOf(...entries: [string, number][]) {
  const labels = makeLabels(entries.map(([title, year], k) => ({ id: k, title, year }) as unknown as Anime))
  return entries.map((_, k) => labels.get(k)!)
}

test('a short title stays as it is, a long one is cut at its end', () => {
  expect(labelsOf(['Naruto', 2002])).toEqual(['Naruto'])
  const [label] = labelsOf(['Kono Subarashii Sekai ni Shukufuku wo!', 2016])
  expect(label).toMatch(/^Kono Subarashii .*…$/)
  expect(label.length).toBeLessThanOrEqual(30)
})

test.each<[string, [string, number][]]>([
  [
    'at the end',
    [
      ['Re:Zero kara Hajimeru Isekai Seikatsu', 2016],
      ['Re:Zero kara Hajimeru Isekai Seikatsu 2nd Season', 2020],
    ],
  ],
  [
    'in the middle',
    [
      ['Monogatari of the very long beginning: Alpha, the story that ends alike', 2009],
      ['Monogatari of the very long beginning: Omega, the story that ends alike', 2012],
    ],
  ],
  [
    'by their years alone',
    [
      ['Hunter x Hunter', 1999],
      ['Hunter x Hunter', 2011],
    ],
  ],
  [
    'in nothing',
    [
      ['Hunter x Hunter', 2011],
      ['Hunter x Hunter', 2011],
    ],
  ],
])('titles that differ %s get different labels', (_where, entries) => {
  const labels = labelsOf(...entries)
  expect(new Set(labels).size).toBe(entries.length)
  for (const label of labels) expect(label.length).toBeLessThanOrEqual(30)
})

test.each([
  ['JoJo no Kimyou na Bouken: Stardust Crusaders', 'JoJo no Kimyou na Bouken (TV)', 'Stardust Crusaders'],
  ['Shingeki no Kyojin: The Final Season', 'Shingeki no Kyojin', 'The Final Season'],
  ['Dragon Ball Z Movie 14: Kami to Kami', 'Dragon Ball Z Movie 13', 'Movie 14'],
  ['Yamada-kun to 7-nin no Majo (OVA)', 'Yamada-kun to 7-nin no Majo (TV)', '(OVA)'],
])('%s, beside %s, keeps what tells it from that', (title, other, kept) => {
  const [label] = labelsOf([title, 2014], [other, 2012])
  expect(label).toContain(kept)
  expect(label.slice(0, 4)).toBe(title.slice(0, 4))
  expect(label.length).toBeLessThanOrEqual(30)
})
