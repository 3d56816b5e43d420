/** Titles short enough for the map: cut where they are long, and no two alike. */
import type { Anime } from './graph'

const MAX_LENGTH = 30
/** Letters kept of the beginning of a title that is cut in the middle. */
const HEAD = 14

const cutEnd = (title: string) => `${title.slice(0, MAX_LENGTH - 1).trimEnd()}…`

const cutMiddle = (title: string, from: number) =>
  `${title.slice(0, HEAD).trimEnd()}…${title.slice(from, from + MAX_LENGTH - HEAD - 1).trim()}`

/** Return how many letters all of the texts begin with. */
function commonStart(texts: string[]): number {
  let length = 0
  while (texts.every((text) => length < text.length && text[length] === texts[0][length])) length++
  return length
}

/** Return short names of titles that would be cut to the same text: the first way in which they differ. */
function tellApart(anime: Anime[]): string[] {
  const titles = anime.map(({ title }) => title)
  const start = commonStart(titles)
  const ways = [
    titles.map((title) => cutMiddle(title, title.length - (MAX_LENGTH - HEAD - 1))),
    titles.map((title) => cutMiddle(title, start)),
    anime.map(({ title, year, id }) => `${title.slice(0, MAX_LENGTH - 8).trimEnd()} (${year ?? id})`),
  ].filter((_, way) => way === 2 || titles.every((title) => title.length > MAX_LENGTH))
  const differs = (names: string[]) => new Set(names).size === names.length
  return ways.find(differs) ?? anime.map(({ title, id }) => `${title.slice(0, HEAD)}… (${id})`)
}

/** Return the name on the map of each title, by id. */
export function makeLabels(anime: Anime[]): Map<number, string> {
  const byText = new Map<string, Anime[]>()
  for (const entry of anime) {
    const text = entry.title.length > MAX_LENGTH ? cutEnd(entry.title) : entry.title
    const alike = byText.get(text)
    if (alike) alike.push(entry)
    else byText.set(text, [entry])
  }
  const labels = new Map<number, string>()
  for (const [text, alike] of byText) {
    const names = alike.length > 1 ? tellApart(alike) : [text]
    for (const [k, { id }] of alike.entries()) labels.set(id, names[k])
  }
  return labels
}
