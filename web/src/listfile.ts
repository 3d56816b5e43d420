/** The list that MyAnimeList exports (XML, also .gz), read in the browser. Nothing of it leaves the page. */
import { FileError, readText, UNREADABLE } from './file'

export interface ListFile {
  user: string | null
  /** MAL id -> 1-10, or 0 for an entry without a score. */
  scores: Map<number, number>
}

/** Bytes of XML. The longest list known, 18,219 entries, takes some 16 MB. */
const LARGEST_LIST = 32 * 2 ** 20

const childText = (parent: Element, name: string) =>
  parent.getElementsByTagName(name)[0]?.textContent?.trim() ?? ''

/** Reads a plain or gzipped file, whatever it is called. FileError (a sentence) for whatever is not an anime list. */
export async function readListFile(file: Blob): Promise<ListFile> {
  const start = new Uint8Array(
    await file
      .slice(0, 2)
      .arrayBuffer()
      .catch(() => {
        throw new FileError(UNREADABLE)
      }),
  )
  if (start[0] !== 0x1f || start[1] !== 0x8b)
    return parseList(await readText(file.stream(), LARGEST_LIST, UNREADABLE))
  const inflated = file
    .stream()
    .pipeThrough(new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>)
  return parseList(
    await readText(inflated, LARGEST_LIST, 'The .gz file is damaged or cut short; export the list again.'),
  )
}

export function parseList(text: string): ListFile {
  if (text.trim() === '') throw new FileError('The file is empty; export the list again.')
  // An export has no document type; entities, with which a small file unfolds into gigabytes, need one.
  if (/<!(DOCTYPE|ENTITY)/i.test(text))
    throw new FileError(
      'The file declares a document type, which a list from MyAnimeList never does; it was not read.',
    )
  const xml = new DOMParser().parseFromString(text, 'text/xml')
  const root = xml.documentElement
  if (xml.getElementsByTagName('parsererror').length > 0) {
    if (text.includes('<myanimelist>'))
      throw new FileError('The file is damaged or cut short; export the list again.')
    throw new FileError(
      'The file is not XML. It should be the list that MyAnimeList exports (Profile, Anime List, Export).',
    )
  }
  if (root.tagName !== 'myanimelist') throw new FileError('The file is XML, but not a list from MyAnimeList.')
  if (root.getElementsByTagName('anime').length === 0) {
    throw new FileError(
      root.getElementsByTagName('manga').length > 0
        ? 'This is a manga list; export the anime list instead.'
        : 'The list holds no anime.',
    )
  }
  const scores = new Map<number, number>()
  for (const entry of root.children) {
    if (entry.tagName !== 'anime') continue
    const id = Number(childText(entry, 'series_animedb_id'))
    const score = Number(childText(entry, 'my_score'))
    if (Number.isSafeInteger(id) && id > 0)
      scores.set(id, Number.isInteger(score) && score >= 1 && score <= 10 ? score : 0)
  }
  if (scores.size === 0) throw new FileError('The list holds no entry with a MyAnimeList id.')
  const info = root.getElementsByTagName('myinfo')[0]
  return { user: (info && childText(info, 'user_name')) || null, scores }
}
