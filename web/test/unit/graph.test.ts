import { describe, expect, test } from 'vitest'
import { contrast, LAND, mix } from '../../src/data/colors'
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
  return parseGraph(JSON.stringify(graph))
}

test('reads what similarity_map.py writes', () => {
  const graph = parse()
  expect(graph.anime).toHaveLength(30)
  expect(graph.anime[3]).toMatchObject({
    id: 10,
    year: 1988,
    media_type: 'tv',
    picture: 'https://covers.test/10.png',
  })
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
  expect(languageOf({ TITLES: 'romaji' })).toBe('romaji')
})

test.each([2, 50, 64])('reads vectors of %i numbers, and recommends from them', (nEmbedding) => {
  const graph = parseGraph(JSON.stringify(makeGraph(30, { nEmbedding })))
  expect(graph.vectors.length).toBe(30 * nEmbedding)
  const ids = graph.anime.map(({ id }) => id)
  const recommender = makeRecommender(ids, graph.vectors, graph.model)
  const query = makeQuery(recommender, { scores: new Map([[1, 9]]), statuses: new Map() })!
  expect(affinityOf(recommender, query, 0).every(Number.isFinite)).toBe(true)
})

test('reads unknown facts as unknown', () => {
  const unknown = { japanese: null, picture: null, year: null, mean: null, franchise: null }
  const graph = parse((g) => {
    Object.assign(g.anime[4], unknown, { media_type: null, prequels: null })
  })
  expect(graph.anime[4]).toMatchObject({ ...unknown, media_type: null, prequels: [] })
})

/** Return a change that puts a value at a place in the file, or, for undefined, leaves that place out. */
const put = (place: string, value?: unknown) => (graph: Loose) => {
  const names = place.split('.')
  const last = names.pop()!
  names.reduce((owner, name) => owner[name], graph)[last] = value
}

describe('refuses with a sentence', () => {
  test.each<[string, (graph: Loose) => unknown, RegExp]>([
    ['another format', put('format', 'aniembed-graph/1'), /format aniembed-graph\/1; this page reads/],
    ['no graph', put('format'), /not that of an AniEmbed graph/],
    ['no length of vectors', put('n_embedding'), /graph has no valid "n_embedding"/],
    ['no titles', put('anime', []), /no titles/],
    ['a wrong id', put('anime.4.id', '5'), /Title number 5 of the graph has no valid "id"/],
    ['an id twice', put('anime.4.id', 1), /twice/],
    ['a title missing', put('anime.4.title'), /no valid "title"/],
    ['no position', put('anime.4.x', null), /no valid "x"/],
    ['a position far out', put('anime.4.x', 1e300), /no valid "x"/],
    ['an unknown cluster', put('anime.4.cluster', 77), /cluster 77, which the graph does not have/],
    ['a cluster without an id', put('clusters.1.id', -1), /cluster of the graph has no valid "id"/],
    ['a cluster twice', put('clusters.1.id', 0), /cluster 0 twice/],
    ['a colour that is none', put('clusters.1.color', 'url(//x.test)'), /no valid "color"/],
    ['an unknown neighbour', put('neighbours.1', [[5555, 0.8]]), /neighbours of the title 1/],
    ['a similarity above 1', put('neighbours.1', [[4, 1.5]]), /neighbours of the title 1/],
    ['vectors cut short', put('vectors', 'AAAA'.repeat(100)), /300 bytes; 30 titles of 50/],
    ['vectors that are no base64', put('vectors', '****'), /base64/],
    ['vectors of another length', put('vectors', btoa('a'.repeat(6000))), /does not have length 1/],
    ['vectors that are not finite', put('vectors', btoa('\xff'.repeat(6000))), /does not have length 1/],
    ['too few mean scores', put('model.mean', [7]), /model of the graph has no valid "mean"/],
    ['a mean score beyond 10', put('model.mean.3', 1e300), /no valid "mean"/],
    ['no model', put('model'), /no valid "model"/],
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
    expect(() => parseGraph(text)).toThrow(FileError)
  })
})

test('takes covers from one host, over http(s) alone', () => {
  const graph = parse((g) => {
    g.anime[0].picture = 'javascript:alert(1)'
    g.anime[1].picture = 'https://elsewhere.test/1.png'
    g.anime[2].picture = 'data:image/png;base64,AAAA'
    g.anime[3].picture = '//covers.test/13.png'
  })
  expect(graph.anime.slice(0, 5).map(({ picture }) => picture)).toEqual([
    null,
    null,
    null,
    null,
    'https://covers.test/13.png',
  ])
})

test('shows every colour clearly on the sea and on the land of every cluster, light and dark', () => {
  const graph = parse((g) => {
    ;['#000000', '#ffffff', '#3c5a00', '#ffff00'].forEach((color, k) => {
      g.clusters[k].color = color
    })
  }, 300)
  const colors = graph.clusters.map(({ color }) => color)
  for (const [theme, sea] of [
    ['light', '#f7f6f3'],
    ['dark', '#14151a'],
  ] as const)
    for (const ground of [sea, ...colors.map((color) => mix(sea, color[theme], LAND))])
      for (const color of colors) expect(contrast(color[theme], ground)).toBeGreaterThanOrEqual(2.99)
})

test('links to nothing but MyAnimeList', () =>
  expect(malAddress(1535)).toBe('https://myanimelist.net/anime/1535'))
