import { expect, test } from 'vitest'
import type { Anime } from '../../src/graph'
import { makeLabels } from '../../src/labels'

const labelsOf = (...entries: [string, number][]) => [
  ...makeLabels(entries.map(([title, year], k) => ({ id: k + 1, title, year }) as unknown as Anime)).values(),
]

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
