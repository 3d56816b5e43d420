/**
 * Search in all names of a title, their initials and their beginnings ("aot", "konosuba"), and for studios and
 * genres: ignores accents, case and punctuation, matches any part, allows typing errors.
 */
import { type Anime, byPopularity } from './graph'

/** A normalised name, with and without its spaces, its words, and their first letters. */
interface Name {
  spaced: string
  compact: string
  words: string[]
  initials: string
}

/** The titles of one studio or genre, the most popular first. */
export interface Group {
  kind: 'studio' | 'genre'
  name: string
  anime: Anime[]
}

export interface SearchIndex {
  titles: { anime: Anime; names: Name[] }[]
  groups: { group: Group; names: Name[] }[]
}

const MAX_RESULTS = 12
const MAX_GROUPS = 3
/** Shortest query that is compared with studios and genres, and as the beginning of initials. */
const MIN_SHORT = 3
/** Shortest piece of a word in a query like "kyoani". */
const MIN_PIECE = 3
/** Shortest word in which one typing error is allowed, and in which two are. */
const ONE_ERROR = 4
const TWO_ERRORS = 9

/** Return the text in lower case without accents; everything but letters and digits becomes a space. */
function normalise(text: string): string {
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

function makeName(text: string): Name {
  const spaced = normalise(text)
  const words = spaced.split(' ')
  return { spaced, words, compact: words.join(''), initials: words.map((word) => [...word][0]).join('') }
}

/** Return the studios and genres of the titles. */
export function makeGroups(anime: Anime[]): Group[] {
  const groups = new Map<string, Group>()
  for (const entry of byPopularity(anime)) {
    for (const [kind, names] of [
      ['studio', entry.studios],
      ['genre', entry.genres],
    ] as const)
      for (const name of new Set(names)) {
        const group = groups.get(`${kind} ${name}`)
        if (group) group.anime.push(entry)
        else groups.set(`${kind} ${name}`, { kind, name, anime: [entry] })
      }
  }
  return [...groups.values()].sort((a, b) => b.anime.length - a.anime.length)
}

/** Return the titles by popularity; a stable sort by match keeps that order among equal matches. */
export function makeIndex(anime: Anime[], groups = makeGroups(anime)): SearchIndex {
  const titles = byPopularity(anime).map((entry) => ({
    anime: entry,
    names: [entry.title, entry.english, entry.japanese, ...entry.synonyms]
      .filter((name) => name !== null)
      .map(makeName),
  }))
  return { titles, groups: groups.map((group) => ({ group, names: [makeName(group.name)] })) }
}

/** Return a function that gives the index, made when it is first asked for: 20,000 titles take a while. */
export function lazyIndex(anime: Anime[], groups: Group[]): () => SearchIndex {
  let index: SearchIndex | null = null
  return () => {
    index ??= makeIndex(anime, groups)
    return index
  }
}

/** Return how well a name matches: 0 the whole name, 6 every word somewhere in it, Infinity not at all. */
function grade({ spaced, compact, words, initials }: Name, query: Name): number {
  const letters = query.compact
  if (spaced === query.spaced || compact === letters) return 0
  if (spaced.startsWith(query.spaced)) return 1
  if (words.length > 1 && initials === letters) return 2
  if (spaced.includes(` ${query.spaced}`)) return 2
  if (letters.length >= MIN_SHORT && initials.startsWith(letters)) return 3
  if (query.words.every((word) => words.some((other) => other.startsWith(word)))) return 3
  if (letters.length >= 2 * MIN_PIECE && isBlend(letters, words)) return 4
  if (compact.includes(letters)) return 5
  if (query.words.every((word) => spaced.includes(word))) return 6
  return Number.POSITIVE_INFINITY
}

/** Return whether the letters are beginnings of words, in their order: "kyoani" of "kyoto animation". */
function isBlend(letters: string, words: string[]): boolean {
  if (letters === '') return true
  return words.some((word, k) => {
    let length = 0
    while (length < letters.length && letters[length] === word[length]) length++
    for (; length >= MIN_PIECE; length--) if (isBlend(letters.slice(length), words.slice(k + 1))) return true
    return false
  })
}

/**
 * Return the typing errors (a letter wrong, left out or added, or two swapped) between a word and the
 * beginning of another; Infinity for more than `most`.
 */
function errors(word: string, other: string, most: number): number {
  let [beforeLast, last]: number[][] = [[], [...Array(word.length + 1).keys()]]
  let fewest = last[word.length]
  for (let j = 1; j <= Math.min(other.length, word.length + most); j++) {
    const row = [j]
    for (let i = 1; i <= word.length; i++) {
      const same = word[i - 1] === other[j - 1]
      row[i] = Math.min(last[i] + 1, row[i - 1] + 1, last[i - 1] + Number(!same))
      if (i > 1 && j > 1 && word[i - 1] === other[j - 2] && word[i - 2] === other[j - 1])
        row[i] = Math.min(row[i], beforeLast[i - 2] + 1)
    }
    if (Math.min(...row) > most) break
    ;[beforeLast, last] = [last, row]
    fewest = Math.min(fewest, row[word.length])
  }
  return fewest <= most ? fewest : Number.POSITIVE_INFINITY
}

/** Return the typing errors of the query's words in a name, or of the query written as one word. */
function errorsIn({ words, compact }: Name, query: Name): number {
  const allowed = (word: string) => (word.length >= TWO_ERRORS ? 2 : word.length >= ONE_ERROR ? 1 : 0)
  const inWords = query.words.reduce((sum, word) => {
    const most = allowed(word)
    return (
      sum +
      words.reduce((least, other) => Math.min(least, errors(word, other, most)), Number.POSITIVE_INFINITY)
    )
  }, 0)
  return Math.min(inWords, errors(query.compact, compact, allowed(query.compact)))
}

/** Return what matches best by `measure`, the least first; equal ones in their order. */
function best<Entry extends { names: Name[] }>(
  entries: Entry[],
  query: Name,
  measure: (name: Name, query: Name) => number,
): { entry: Entry; value: number }[] {
  return entries
    .map((entry) => ({ entry, value: Math.min(...entry.names.map((name) => measure(name, query))) }))
    .filter(({ value }) => value < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.value - b.value)
}

export type Found = { anime: Anime } | { group: Group }

/**
 * Return up to MAX_GROUPS studios and genres and MAX_RESULTS titles, best match first, then by popularity; if
 * none match, those that a typing error separates. A title of exactly this name is before the groups.
 */
export function search({ titles, groups }: SearchIndex, text: string): Found[] {
  if (!text.trim()) return []
  const query = makeName(text)
  const withGroups = query.compact.length >= MIN_SHORT ? groups : []
  for (const measure of [grade, errorsIn]) {
    const foundGroups = best(withGroups, query, measure)
      .filter(({ value }) => measure === errorsIn || value <= 4)
      .slice(0, MAX_GROUPS)
    const found = best(titles, query, measure).slice(0, MAX_RESULTS)
    if (foundGroups.length + found.length === 0) continue
    const exact = measure === grade ? found.filter(({ value }) => value === 0) : []
    return [...exact, ...foundGroups, ...found.slice(exact.length)].map(({ entry }) => entry)
  }
  return []
}
