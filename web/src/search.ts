/**
 * Search in all names of a title: ignores accents, case and punctuation, matches any part, allows one typing
 * error.
 */
import { type Anime, byPopularity } from './graph'

/** A normalised name, with and without its spaces. */
interface Name {
  spaced: string
  compact: string
}

interface Entry {
  anime: Anime
  names: Name[]
}

export type SearchIndex = Entry[]

const MAX_RESULTS = 12
/** Least share of letter pairs that a similar name has. */
const MIN_LIKENESS = 0.6
/** Shortest query that is compared by its letter pairs. */
const MIN_LETTERS = 4

/** Return the text in lower case without accents; everything but letters and digits becomes a space. */
export function normalise(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/×/g, 'x')
    .replace(/['’`]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  // A title of signs alone ("◯") is found by those signs.
  return plain || text.trim().toLowerCase()
}

const withoutSpaces = (text: string) => text.replaceAll(' ', '')

/** Return the entries by popularity; a stable sort by match keeps that order among equal matches. */
export function makeIndex(anime: Anime[]): SearchIndex {
  return byPopularity(anime).map((entry) => ({
    anime: entry,
    names: [entry.title, entry.english, entry.japanese, ...entry.synonyms]
      .filter((name) => name !== null)
      .map((name) => {
        const spaced = normalise(name)
        return { spaced, compact: withoutSpaces(spaced) }
      }),
  }))
}

/** Return how well a name matches: 0 the whole name, 5 every word somewhere in it, Infinity not at all. */
function grade({ spaced, compact }: Name, query: string, letters: string, tokens: string[]): number {
  const hasWord = (word: string) => spaced.startsWith(word) || spaced.includes(` ${word}`)
  if (spaced === query || compact === letters) return 0
  if (spaced.startsWith(query)) return 1
  if (spaced.includes(` ${query}`)) return 2
  if (tokens.every(hasWord)) return 3
  if (compact.includes(letters)) return 4
  if (tokens.every((token) => spaced.includes(token))) return 5
  return Number.POSITIVE_INFINITY
}

function letterPairs(text: string): Set<string> {
  const pairs = new Set<string>()
  for (let k = 0; k + 1 < text.length; k++) pairs.add(text.slice(k, k + 2))
  return pairs
}

/**
 * Return the share of the query's letter pairs that are in the name: one typing error costs two or three
 * pairs.
 */
function likeness(pairs: Set<string>, compact: string): number {
  let found = 0
  for (const pair of pairs) if (compact.includes(pair)) found++
  return found / pairs.size
}

/**
 * Return up to MAX_RESULTS titles, best match first, then by popularity; if none match, those that look
 * similar.
 */
export function search(index: SearchIndex, text: string): Anime[] {
  if (!text.trim()) return []
  const query = normalise(text)
  const letters = withoutSpaces(query)
  const tokens = query.split(' ')
  const found: { anime: Anime; grade: number }[] = []
  for (const { anime, names } of index) {
    const best = Math.min(...names.map((name) => grade(name, query, letters, tokens)))
    if (best < Number.POSITIVE_INFINITY) found.push({ anime, grade: best })
  }
  if (found.length === 0 && letters.length >= MIN_LETTERS) {
    const pairs = letterPairs(letters)
    for (const { anime, names } of index) {
      const best = Math.max(...names.map((name) => likeness(pairs, name.compact)))
      if (best >= MIN_LIKENESS) found.push({ anime, grade: -best })
    }
  }
  return found
    .sort((a, b) => a.grade - b.grade)
    .slice(0, MAX_RESULTS)
    .map((entry) => entry.anime)
}
