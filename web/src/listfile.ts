/** The list that MyAnimeList exports (XML, also .gz), read in the browser. No part of it leaves the page. */
import { FileError, readText, UNREADABLE } from './file'

export interface ListFile {
  user: string | null
  /** MAL id -> 1-10, or 0 for an entry without a score. */
  scores: Map<number, number>
}

/** In bytes of XML. The longest list known has 18,219 entries, about 16 MB. */
const MAX_LIST = 32 * 2 ** 20

const childText = (parent: Element, name: string) =>
  parent.getElementsByTagName(name)[0]?.textContent?.trim() ?? ''

/**
 * Return the list in a plain or gzipped file, whatever its name. Throws FileError if it is not an anime
 * list.
 */
export async function readListFile(file: Blob): Promise<ListFile> {
  const start = new Uint8Array(
    await file
      .slice(0, 2)
      .arrayBuffer()
      .catch(() => {
        throw new FileError(UNREADABLE)
      }),
  )
  const isGzip = start[0] === 0x1f && start[1] === 0x8b
  if (!isGzip) return parseList(await readText(file.stream(), MAX_LIST, UNREADABLE))
  const unpacked = file
    .stream()
    .pipeThrough(new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>)
  return parseList(await readText(unpacked, MAX_LIST, 'The .gz file is damaged. Export the list again.'))
}

/** Return the root of the XML. Throws FileError if it is not an anime list. */
function parseXml(text: string): Element {
  if (text.trim() === '') throw new FileError('The file is empty. Export the list again.')
  // An export has no document type. Entities, with which a small file expands to gigabytes, need one.
  if (/<!(DOCTYPE|ENTITY)/i.test(text))
    throw new FileError(
      'The file declares a document type, which a list from MyAnimeList does not. It was not read.',
    )
  const xml = new DOMParser().parseFromString(text, 'text/xml')
  const root = xml.documentElement
  if (xml.getElementsByTagName('parsererror').length > 0) {
    if (text.includes('<myanimelist>')) throw new FileError('The file is damaged. Export the list again.')
    throw new FileError(
      'The file is not XML. Choose the list that MyAnimeList exports (Profile, Anime List, Export).',
    )
  }
  if (root.tagName !== 'myanimelist') throw new FileError('The file is XML, but not a list from MyAnimeList.')
  return root
}

export function parseList(text: string): ListFile {
  const root = parseXml(text)
  if (root.getElementsByTagName('anime').length === 0) {
    const isManga = root.getElementsByTagName('manga').length > 0
    throw new FileError(
      isManga ? 'This is a manga list. Export the anime list instead.' : 'The list has no anime.',
    )
  }
  const scores = new Map<number, number>()
  for (const entry of root.children) {
    if (entry.tagName !== 'anime') continue
    const id = Number(childText(entry, 'series_animedb_id'))
    const score = Number(childText(entry, 'my_score'))
    const isScore = Number.isInteger(score) && score >= 1 && score <= 10
    if (Number.isSafeInteger(id) && id > 0) scores.set(id, isScore ? score : 0)
  }
  if (scores.size === 0) throw new FileError('The list has no entry with a MyAnimeList id.')
  const info = root.getElementsByTagName('myinfo')[0]
  return { user: (info && childText(info, 'user_name')) || null, scores }
}
