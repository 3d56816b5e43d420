/** Search over romaji and English titles: without accents, case and punctuation, any part of a title, one slip allowed. */
import { type Anime, byPopularity } from './graph'

interface Entry {
  anime: Anime
  names: { words: string; letters: string }[]
}

export type SearchIndex = Entry[]

const MOST_FOUND = 12

/** Lower case, accents taken off, everything that is neither letter nor digit made a space. */
export function normalise(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/×/g, 'x')
    .replace(/['’`]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  // A title of signs alone ("◯") is still to be found by those signs.
  return plain || text.trim().toLowerCase()
}

const withoutSpaces = (words: string) => words.replaceAll(' ', '')

/** Entries in order of popularity, so that a stable sort by match keeps that order within equal matches. */
export function makeIndex(anime: Anime[]): SearchIndex {
  return byPopularity(anime).map((entry) => ({
    anime: entry,
    names: [entry.title, entry.english]
      .filter((name) => name !== null)
      .map((name) => {
        const words = normalise(name)
        return { words, letters: withoutSpaces(words) }
      }),
  }))
}

/** How well a name matches: 0 the whole name, 5 all words somewhere in it, Infinity not at all. */
function grade(
  name: { words: string; letters: string },
  query: string,
  letters: string,
  tokens: string[],
): number {
  if (name.words === query || name.letters === letters) return 0
  if (name.words.startsWith(query)) return 1
  if (name.words.includes(` ${query}`)) return 2
  if (tokens.every((token) => name.words.startsWith(token) || name.words.includes(` ${token}`))) return 3
  if (name.letters.includes(letters)) return 4
  if (tokens.every((token) => name.words.includes(token))) return 5
  return Infinity
}

function letterPairs(text: string): Set<string> {
  const pairs = new Set<string>()
  for (let k = 0; k + 1 < text.length; k++) pairs.add(text.slice(k, k + 2))
  return pairs
}

/** Share of the query's pairs of letters that the name holds: a slip or a swapped letter costs two or three pairs. */
function likeness(pairs: Set<string>, letters: string): number {
  let found = 0
  for (const pair of pairs) if (letters.includes(pair)) found++
  return found / pairs.size
}

/** The best MOST_FOUND titles, best match first, then by popularity. Only when nothing matches, titles that look alike. */
export function search(index: SearchIndex, text: string): Anime[] {
  if (!text.trim()) return []
  const query = normalise(text)
  const letters = withoutSpaces(query)
  const tokens = query.split(' ')
  const found: { anime: Anime; grade: number }[] = []
  for (const { anime, names } of index) {
    const best = Math.min(...names.map((name) => grade(name, query, letters, tokens)))
    if (best < Infinity) found.push({ anime, grade: best })
  }
  if (found.length === 0 && letters.length >= 4) {
    const pairs = letterPairs(letters)
    for (const { anime, names } of index) {
      const best = Math.max(...names.map((name) => likeness(pairs, name.letters)))
      if (best >= 0.6) found.push({ anime, grade: -best })
    }
  }
  return found
    .sort((a, b) => a.grade - b.grade)
    .slice(0, MOST_FOUND)
    .map((entry) => entry.anime)
}
