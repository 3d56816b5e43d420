/** The list that MyAnimeList exports (XML, also .gz), read in the browser. Nothing of it leaves the page. */

export interface ListFile {
  user: string | null
  /** MAL id -> 1-10, or 0 for an entry without a score. */
  scores: Map<number, number>
}

/** A file that is no list; the message is a sentence for the user. */
export class ListFileError extends Error {}

/** Bytes of XML. The longest list known, 18,219 entries, takes some 16 MB. */
export const LARGEST_LIST = 32 * 2 ** 20

/** Reads at most LARGEST_LIST bytes out of the file, inflating .gz as it goes, so that a bomb never unfolds. */
async function readText(file: Blob): Promise<string> {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer())
  const gzipped = start[0] === 0x1f && start[1] === 0x8b
  if (!gzipped && file.size > LARGEST_LIST) throw tooLarge()
  const stream = gzipped
    ? file.stream().pipeThrough(new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>)
    : file.stream()
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  const parts: string[] = []
  let bytes = 0
  for (;;) {
    let step: ReadableStreamReadResult<Uint8Array>
    try {
      step = await reader.read()
    } catch {
      throw new ListFileError('The .gz file is damaged or cut short; export the list again.')
    }
    if (step.done) break
    bytes += step.value.length
    if (bytes > LARGEST_LIST) {
      // Not awaited: a stream that is being inflated may take its time to end, and nothing depends on it.
      void reader.cancel()
      throw tooLarge()
    }
    parts.push(decoder.decode(step.value, { stream: true }))
  }
  parts.push(decoder.decode())
  return parts.join('')
}

const tooLarge = () =>
  new ListFileError(`The file holds more than ${LARGEST_LIST / 2 ** 20} MB, far more than any list; it was not read.`)

const childText = (parent: Element, name: string) => parent.getElementsByTagName(name)[0]?.textContent?.trim() ?? ''

/** ListFileError (a sentence) for whatever is not an anime list. */
export async function readListFile(file: Blob): Promise<ListFile> {
  return parseList(await readText(file))
}

export function parseList(text: string): ListFile {
  // An export has no document type; entities, with which a small file unfolds into gigabytes, need one.
  if (/<!(DOCTYPE|ENTITY)/i.test(text))
    throw new ListFileError('The file declares a document type, which a list from MyAnimeList never does; it was not read.')
  const xml = new DOMParser().parseFromString(text, 'text/xml')
  const root = xml.documentElement
  if (xml.getElementsByTagName('parsererror').length > 0)
    throw new ListFileError('The file is not XML. It should be the list that MyAnimeList exports (Profile, Anime List, Export).')
  if (root.tagName !== 'myanimelist')
    throw new ListFileError('The file is XML, but not a list from MyAnimeList.')
  if (root.getElementsByTagName('anime').length === 0) {
    throw new ListFileError(root.getElementsByTagName('manga').length > 0
      ? 'This is a manga list; export the anime list instead.'
      : 'The list holds no anime.')
  }
  const scores = new Map<number, number>()
  for (const entry of root.children) {
    if (entry.tagName !== 'anime') continue
    const id = Number(childText(entry, 'series_animedb_id'))
    const score = Number(childText(entry, 'my_score'))
    if (Number.isSafeInteger(id) && id > 0) scores.set(id, Number.isInteger(score) && score >= 1 && score <= 10 ? score : 0)
  }
  if (scores.size === 0) throw new ListFileError('The list holds no entry with a MyAnimeList id.')
  const info = root.getElementsByTagName('myinfo')[0]
  return { user: (info && childText(info, 'user_name')) || null, scores }
}
