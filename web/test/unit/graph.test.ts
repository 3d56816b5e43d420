import { describe, expect, test } from 'vitest'
import { contrast } from '../../src/data/colors'
import { FileError } from '../../src/data/file'
import { malAddress, parseGraph } from '../../src/data/graph'
import { affinityOf, makeQuery, makeRecommender } from '../../src/taste/query'
import { makeGraph } from '../random-graph.mjs'

/** The tests bend the file in ways that its type forbids. */
// biome-ignore lint/suspicious/noExplicitAny: that is the point
type Loose = Record<string, any>
const parse = (change: (graph: Loose) => void = () => {}, count = 30) => {
  const graph: Loose = makeGraph(count, { covers: 'https://covers.test/' })
  change(graph)
  return parseGraph(JSON.stringify(graph), 'https://fan.test/map/')
}

test('reads what similarity_map.py writes', () => {
  const graph = parse()
  expect(graph.anime).toHaveLength(30)
  expect(graph.anime[3]).toMatchObject({
    id: 10,
    year: 1988,
    mediaType: 'tv',
    picture: 'https://covers.test/10.png',
  })
  expect(graph.notices).toEqual([])
  expect(graph.pictureOrigin).toBe('https://covers.test')
  const length = Math.hypot(...graph.vectors.subarray(50, 100))
  expect(length).toBeCloseTo(1, 5)
  expect(graph.clusters.reduce((sum, { size }) => sum + size, 0)).toBe(30)
})

test('knows the language of the drawn map', () => {
  const languageOf = (settings: unknown) =>
    parse((graph) => {
      graph.settings = settings
    }).language
  expect(languageOf({ TITLES: 'english' })).toBe('english')
  for (const settings of [{ TITLES: 'romaji' }, { TITLES: 7 }, null])
    expect(languageOf(settings)).toBe('romaji')
})

test.each([2, 50, 64])('reads vectors of %i numbers, and recommends from them', (nEmbedding) => {
  const graph = parseGraph(JSON.stringify(makeGraph(30, { nEmbedding })), 'https://fan.test/')
  expect(graph.vectors.length).toBe(30 * nEmbedding)
  const ids = graph.anime.map(({ id }) => id)
  const recommender = makeRecommender(ids, graph.vectors, graph.model!)
  const query = makeQuery(recommender, { scores: new Map([[1, 9]]), statuses: new Map() })!
  expect(affinityOf(recommender, query, 0).every(Number.isFinite)).toBe(true)
})

test('reads what may be absent as absent', () => {
  const absent = { japanese: null, synonyms: [], radius: null, picture: null, year: null, studios: [] }
  const graph = parse((g) => {
    for (const name of ['japanese', 'synonyms', 'r', 'picture', 'year', 'studios']) {
      delete g.anime[3][name]
      g.anime[4][name] = null
    }
    g.anime[5].r = -1
    g.anime[6].r = 0.02
  })
  expect(graph.anime[3]).toMatchObject(absent)
  expect(graph.anime[4]).toMatchObject(absent)
  expect(graph.anime.slice(5, 7).map(({ radius }) => radius)).toEqual([null, 0.02])
})

describe('refuses with a sentence', () => {
  test.each<[string, (graph: Loose) => void, RegExp]>([
    [
      'another format',
      (g) => {
        g.format = 'aniembed-graph/1'
      },
      /format aniembed-graph\/1; this page reads aniembed-graph\/2/,
    ],
    [
      'no graph',
      (g) => {
        delete g.format
      },
      /not that of an AniEmbed graph/,
    ],
    [
      'vectors without a length',
      (g) => {
        delete g.n_embedding
      },
      /n_embedding is not a whole number/,
    ],
    [
      'no titles',
      (g) => {
        g.anime = []
      },
      /no titles/,
    ],
    [
      'a wrong id',
      (g) => {
        g.anime[4].id = '5'
      },
      /Title number 5/,
    ],
    [
      'an id twice',
      (g) => {
        g.anime[4].id = g.anime[3].id
      },
      /twice/,
    ],
    [
      'no position',
      (g) => {
        g.anime[4].x = null
      },
      /no position/,
    ],
    [
      'a position far out',
      (g) => {
        g.anime[4].x = 1e300
      },
      /no position/,
    ],
    [
      'no title',
      (g) => {
        g.anime[4].title = ' '
      },
      /no title/,
    ],
    [
      'a cluster without an id',
      (g) => {
        g.clusters[1].id = -1
      },
      /cluster of the graph has no id/,
    ],
    [
      'a cluster twice',
      (g) => {
        g.clusters[1].id = 0
      },
      /cluster 0 twice/,
    ],
    [
      'vectors cut short',
      (g) => {
        g.vectors = g.vectors.slice(0, 400)
      },
      /300 bytes; 30 titles of 50 numbers need 6000/,
    ],
    [
      'vectors that are no base64',
      (g) => {
        g.vectors = '****'
      },
      /base64/,
    ],
    [
      'no vectors',
      (g) => {
        delete g.vectors
      },
      /no vectors/,
    ],
    [
      'a vector that is not finite',
      (g) => {
        g.vectors = Buffer.alloc(30 * 200, 0xff).toString('base64')
      },
      /not finite/,
    ],
  ])('%s', (_what, change, message) => {
    expect(() => parse(change)).toThrow(FileError)
    expect(() => parse(change)).toThrow(message)
  })
  test.each([
    ['no JSON', '<!doctype html>'],
    ['a list', '[]'],
    ['nothing', ''],
    ['null', 'null'],
  ])('%s', (_what, text) => {
    expect(() => parseGraph(text, 'https://fan.test/')).toThrow(FileError)
  })
})

test('leaves out neighbours that the graph does not hold, and says so', () => {
  const graph = parse((g) => {
    g.neighbours[1] = [[4, 0.9], [5555, 0.8], [7, 'x'], [7, 1.5], 'nonsense']
  })
  expect(graph.neighbours.get(1)).toEqual([{ id: 4, similarity: 0.9 }])
  expect(graph.notices.join()).toMatch(/^4 neighbours/)
})

test('takes covers from one host, over http(s) alone', () => {
  const graph = parse((g) => {
    g.anime[0].picture = 'javascript:alert(1)'
    g.anime[1].picture = 'https://elsewhere.test/1.png'
    g.anime[2].picture = 'data:image/png;base64,AAAA'
    g.anime[3].picture = '//covers.test/relative.png'
  })
  expect(graph.anime.slice(0, 5).map(({ picture }) => picture)).toEqual([
    null,
    null,
    null,
    'https://covers.test/relative.png',
    'https://covers.test/13.png',
  ])
})

test('takes only colours as colours, and puts titles of unknown clusters together', () => {
  const graph = parse((g) => {
    g.clusters[0].color = '#c3871e'
    g.clusters[1].color = 'url(https://elsewhere.test)'
    g.anime.forEach((anime: Loose, k: number) => {
      anime.cluster = k < 10 ? 0 : k < 20 ? 1 : null
    })
  })
  expect(graph.clusters.map(({ name, size }) => [name, size])).toEqual([
    ['Group 0', 10],
    ['Group 1', 10],
    ['Other', 10],
  ])
  expect(graph.clusters[0].color.dark).toBe('#c3871e')
  expect(graph.clusters[1].color.light).toMatch(/^#[0-9a-f]{6}$/)
})

test('shows every colour clearly on light and on dark', () => {
  const graph = parse((g) => {
    ;['#000000', '#ffffff', '#3c5a00', '#ffff00'].forEach((color, k) => {
      g.clusters[k].color = color
    })
  }, 300)
  for (const { color } of graph.clusters) {
    expect(contrast(color.light, '#f7f6f3')).toBeGreaterThanOrEqual(3)
    expect(contrast(color.dark, '#14151a')).toBeGreaterThanOrEqual(3)
  }
})

test('recommends nothing from a model that is not whole', () => {
  expect(parse().model).not.toBeNull()
  expect(
    parse((g) => {
      g.model.mean.pop()
    }).model,
  ).toBeNull()
  expect(
    parse((g) => {
      g.model.mean[3] = 1e300
    }).model,
  ).toBeNull()
  expect(
    parse((g) => {
      delete g.model
    }).model,
  ).toBeNull()
})

test('links to nothing but MyAnimeList', () =>
  expect(malAddress(1535)).toBe('https://myanimelist.net/anime/1535'))
