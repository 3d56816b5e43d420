/** Titles short enough for the map: cut where they are long, and no two alike. */
import type { Anime } from '../data/graph'

const MAX_LENGTH = 30
/** Least number of letters of a name that titles of one series share, and of it that a label keeps. */
const MIN_SERIES = 8
const HEAD = 10
/** Least number of letters of whole words, below which a word is cut. */
const MIN_WORDS = 6
/** What belongs to the word or number behind it. */
const IN_SERIES = /^(movie|season|special|ova|episode|part) $|^\($/i

/** Return the first letters of a text, at most `length`; whole words, if that leaves enough. */
function startOf(text: string, length: number): string {
  if (text.length <= length) return text
  const words = text.slice(0, length + 1).lastIndexOf(' ')
  return text.slice(0, words >= MIN_WORDS ? words : length).replace(/[\s:,–-]+$/, '')
}

/** Return a title without the letters in the middle, where what comes from `rest` on matters more. */
function cut(title: string, rest: number): string {
  if (title.length <= MAX_LENGTH) return title
  const tail = title.slice(rest)
  if (rest < HEAD || tail === '') return `${title.slice(0, MAX_LENGTH - 1).trimEnd()}…`
  const room = MAX_LENGTH - HEAD - 1
  const shown = tail.length <= room ? tail : `${startOf(tail, room - 1)}…`
  return `${startOf(title, MAX_LENGTH - 1 - shown.length)}…${shown}`
}

function commonStart(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/**
 * Return where a title begins to differ from the others, at the beginning of a word; 0 where they do not
 * begin alike.
 */
function restFrom(title: string, others: (string | undefined)[]): number {
  const shared = Math.max(...others.map((other) => (other === undefined ? 0 : commonStart(title, other))))
  if (shared < MIN_SERIES) return 0
  const inWord = /^[\p{L}\p{N}]/u.test(title.slice(shared))
  const start = title.slice(0, shared).replace(inWord ? /[\p{L}\p{N}]*$/u : '', '')
  // "Movie 2" and "(OVA)" stay whole.
  const { length } = start.replace(/(\p{L}+ |\()$/u, (word) => (IN_SERIES.test(word) ? '' : word))
  return length < MIN_SERIES ? 0 : length + title.slice(length).search(/[^\s:,–-]|$/)
}

/** Return labels that differ of titles that are cut to the same text, none of which is `taken`. */
function tellApart(alike: Anime[], taken: ReadonlySet<string>): string[] {
  const titles = alike.map(({ title }) => title)
  const short = (title: string, end: string) => `${startOf(title, MAX_LENGTH - end.length - 1)} ${end}`
  const ways = [
    titles.map((title) => cut(title, title.length - (MAX_LENGTH - HEAD - 1))),
    titles.map((title, k) => cut(title, restFrom(title, titles.toSpliced(k, 1)))),
    alike.map(({ title, year, id }) => short(title, `(${year ?? id})`)),
    alike.map(({ title, id }) => short(title, `(${id})`)),
  ]
  const differ = (names: string[]) =>
    new Set(names).size === names.length && !names.some((name) => taken.has(name))
  return ways.find(differ) ?? ways[ways.length - 1]
}

/** Return the name on the map of each title, by id. */
export function makeLabels(anime: Anime[]): Map<number, string> {
  // Titles of one series stand beside each other.
  const sorted = [...anime].sort((a, b) => (a.title < b.title ? -1 : 1))
  const byText = new Map<string, Anime[]>()
  sorted.forEach((entry, k) => {
    const text = cut(entry.title, restFrom(entry.title, [sorted[k - 1]?.title, sorted[k + 1]?.title]))
    byText.set(text, [...(byText.get(text) ?? []), entry])
  })
  const taken = new Set([...byText].filter(([, alike]) => alike.length === 1).map(([text]) => text))
  const labels = new Map<number, string>()
  for (const [text, alike] of byText) {
    const names = alike.length > 1 ? tellApart(alike, taken) : [text]
    for (const name of names) taken.add(name)
    for (const [k, { id }] of alike.entries()) labels.set(id, names[k])
  }
  return labels
}
