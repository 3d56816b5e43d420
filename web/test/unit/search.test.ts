import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { type Anime, parseGraph } from '../../src/data/graph'
import { makeIndex, normalise, type SearchIndex, search } from '../../src/data/search'

const titles: [string, string | null][] = [
  ['Shingeki no Kyojin', 'Attack on Titan'],
  ['Fullmetal Alchemist: Brotherhood', null],
  ['Fullmetal Alchemist', null],
  ['Kimi no Na wa.', 'Your Name.'],
  ['Steins;Gate', null],
  ['Re:Zero kara Hajimeru Isekai Seikatsu', 'Re:ZERO -Starting Life in Another World-'],
  ['Neon Genesis Evangelion', null],
  ['Kōkaku Kidōtai', 'Ghost in the Shell'],
  ['Hunter x Hunter (2011)', null],
  ['SPY×FAMILY', null],
  ['K-On!', 'K-ON!'],
  ['Kono Subarashii Sekai ni Shukufuku wo!', 'KonoSuba'],
  ['Gintama°', null],
  ['Titan A.E.', null],
  ['鋼の錬金術師', null],
  ['◯', null],
]
const entry = (id: number, title: string, english: string | null, popularity = id) =>
  ({
    id,
    title,
    english,
    japanese: null,
    synonyms: [],
    studios: [],
    genres: [],
    popularity,
  }) as unknown as Anime
const anime = titles.map(([title, english], k) => entry(k + 1, title, english))
Object.assign(anime[2], { japanese: 'からくりサーカス', synonyms: ['FMA', 'Hagaren'] })
const index = makeIndex(anime)
const namesIn = (list: SearchIndex, text: string) =>
  search(list, text).map((entry) =>
    'anime' in entry ? entry.anime.title : `${entry.group.kind}: ${entry.group.name}`,
  )
const found = (text: string) => namesIn(index, text)

test.each([
  ['middle of a word', 'gelion', 'Neon Genesis Evangelion'],
  ['a word in the middle', 'alchem', 'Fullmetal Alchemist: Brotherhood'],
  ['the English title', 'attack', 'Shingeki no Kyojin'],
  ['case', 'STEINS', 'Steins;Gate'],
  ['written without its accents', 'kokaku kidotai', 'Kōkaku Kidōtai'],
  ['written with accents that the title lacks', 'kyōjin', 'Shingeki no Kyojin'],
  ['without its punctuation', 'rezero', 'Re:Zero kara Hajimeru Isekai Seikatsu'],
  ['without its spaces', 'steinsgate', 'Steins;Gate'],
  ['a hyphen left out', 'kon', 'K-On!'],
  ['a sign for a letter', 'spy x family', 'SPY×FAMILY'],
  ['words in another order', 'kyojin shingeki', 'Shingeki no Kyojin'],
  ['Japanese', '錬金', '鋼の錬金術師'],
  ['the Japanese title', 'くりサ', 'Fullmetal Alchemist'],
  ['a synonym', 'hagaren', 'Fullmetal Alchemist'],
  ['a title of signs alone', '◯', '◯'],
  ['a typing error', 'evangelon', 'Neon Genesis Evangelion'],
  ['two letters swapped', 'shignkei no kyojin', 'Shingeki no Kyojin'],
])('finds %s', (_what, text, title) => expect(found(text)[0]).toBe(title))

test('puts the whole title before a longer one, although that one is more popular', () => {
  expect(found('fullmetal alchemist').slice(0, 2)).toEqual([
    'Fullmetal Alchemist',
    'Fullmetal Alchemist: Brotherhood',
  ])
})

test('puts a title that begins so before one that has the word later, and the popular before the unknown', () => {
  expect(found('titan')).toEqual(['Titan A.E.', 'Shingeki no Kyojin'])
  const twins = [entry(1, 'Kaze A', null, 900), entry(2, 'Kaze B', null, 3)]
  expect(namesIn(makeIndex(twins), 'kaze')).toEqual(['Kaze B', 'Kaze A'])
})

test('among titles that look similar, the popular first', () => {
  expect(found('fulmetal')).toEqual(['Fullmetal Alchemist: Brotherhood', 'Fullmetal Alchemist'])
})

test('finds nothing where nothing is alike, and nothing for blanks', () => {
  expect(found('zzzzqqqq')).toEqual([])
  expect(found('   ')).toEqual([])
})

test('takes hostile input as text', () => {
  expect(found('.*')).toEqual([])
  expect(found('<img src=x onerror=alert(1)>')).toEqual([])
  expect(normalise('<b>Ümlaut</b>')).toBe('b umlaut b')
})

const sample = readFileSync(resolve(import.meta.dirname, '../../sample/graph.json'), 'utf8')
const sampleIndex = makeIndex(parseGraph(sample, 'http://host/').anime)

test.each([
  ['initials of the English title', 'aot', 'Shingeki no Kyojin'],
  ['initials of the title', 'sao', 'Sword Art Online'],
  ['initials of a longer title', 'saoi', 'Sword Art Online II'],
  ['a synonym', 'fma', 'Fullmetal Alchemist'],
  ['the beginning of a Japanese title', '進撃', 'Shingeki no Kyojin'],
  ['beginnings of words', 'konosuba', 'Kono Subarashii Sekai ni Shukufuku wo!'],
  ['beginnings of words, others left out', 'kimiuso', 'Shigatsu wa Kimi no Uso'],
  ['the beginning of a word', 'evang', 'Neon Genesis Evangelion'],
  ['a studio', 'studio ghibli', 'studio: Studio Ghibli'],
  ['a word of a studio', 'ghibli', 'studio: Studio Ghibli'],
  ['beginnings of a studio', 'kyoani', 'studio: Kyoto Animation'],
  ['a studio with a typing error', 'madhuose', 'studio: Madhouse'],
  ['a genre', 'mecha', 'genre: Mecha'],
])('fans find %s', (_what, text, first) => expect(namesIn(sampleIndex, text)[0]).toBe(first))

test('a typing error finds what is meant, and nothing else', () => {
  expect(namesIn(sampleIndex, 'evangelon')).toEqual(['Neon Genesis Evangelion'])
  expect(namesIn(sampleIndex, 'cowboy beebop')).toEqual(['Cowboy Bebop'])
})

test('finds every season by the initials', () => {
  expect(namesIn(sampleIndex, 'aot').length).toBeGreaterThanOrEqual(5)
})
