/**
 * One member's list: the XML that MyAnimeList and other sites export, or JSON with MyAnimeList ids. The rules
 * are those of aniembed/inputs/exported_list.py; the tests of both compare with tests/cases/exports.json.
 */
import { FileError, readBytes, UNREADABLE } from './file'
import { firstFile } from './zip'

export interface ListFile {
  /** Empty if the file does not say. */
  user: string
  /** MAL id -> 0 to 10; 0 is "on the list without a score". */
  scores: Map<number, number>
  /** MAL id -> watching status in the words of MyAnimeList's API, where the file says so. */
  statuses: Map<number, string>
  /** Entries in the file. */
  entries: number
  /** Entries skipped because they have no MyAnimeList id. */
  withoutId: number
  /** Entries whose score is not a number; they count as unscored. */
  unreadableScores: number
  /** The file's best score: 10, 100 or 5; `scores` are on the scale of 10. */
  scale: number
}

/** In bytes, unpacked. The longest list known has 18,219 entries, about 16 MB. */
const MAX_LIST = 64 * 2 ** 20
const LARGEST_ID = 2 ** 31 - 1
/** Old exports of Shikimori use the second one. */
const ID_TAGS = ['series_animedb_id', 'anime_animedb_id']
/** Scores in JSON from which on "none is above 5" means that they are stars. */
const FEWEST_STARS = 10

/** Values of `my_status` without spaces and hyphens. Rewatching is completed. */
const STATUSES: Record<string, string> = {}
for (const [status, words] of Object.entries({
  watching: ['1', 'watching', 'current'],
  completed: ['2', 'completed', 'rewatching', 'repeating'],
  on_hold: ['3', 'onhold', 'paused'],
  dropped: ['4', 'dropped'],
  plan_to_watch: ['6', 'plantowatch', 'planning', 'planned'],
}))
  for (const word of words) STATUSES[word] = status

/** First bytes of packed files that a browser cannot unpack. */
const OTHER_PACKING: Record<string, string> = { fd377a58: 'xz', '425a68': 'bzip2' }
const DAMAGED = 'The file is damaged or cut off. Export the list again.'

/** Return the list in a file, plain, gzipped or zipped, whatever its name; throw FileError if it holds none. */
export async function readListFile(file: Blob): Promise<ListFile> {
  const start = await readBytes(file.slice(0, 4).stream(), MAX_LIST, UNREADABLE)
  const head = [...start].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  for (const [bytes, name] of Object.entries(OTHER_PACKING))
    if (head.startsWith(bytes)) throw new FileError(`The file is packed with ${name}. Unpack it first.`)
  const read = async (stream: ReadableStream<Uint8Array>, broken: string) =>
    parseList(decode(await readBytes(stream, MAX_LIST, broken)))
  if (head === '504b0304') return read(await firstFile(file, DAMAGED), DAMAGED)
  if (head.startsWith('1f8b'))
    return read(
      file
        .stream()
        .pipeThrough(new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>),
      DAMAGED,
    )
  return read(file.stream(), UNREADABLE)
}

// ---- bytes -> text -> entries ----

/** Return the text of a file in UTF-16 with its mark or in UTF-8, else in cp1252. */
function decode(content: Uint8Array): string {
  const [first, second] = content
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(content)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(content)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return new TextDecoder('windows-1252').decode(content)
  }
}

/**
 * Return the text without its XML declaration and without a DOCTYPE that says no more than a name. Throws
 * FileError if another one is before the first tag. Entities, with which a small file expands to gigabytes,
 * need one.
 */
function plainXml(text: string): string {
  const part = /\s+|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE\s+[\w:.-]+\s*>/y
  let kept = ''
  let end = 0
  for (let match = part.exec(text); match; match = part.exec(text)) {
    if (!/^(<\?xml\s|<!DOCTYPE)/.test(match[0])) kept += match[0]
    end = part.lastIndex
  }
  if (text.startsWith('<!DOCTYPE', end))
    throw new FileError('The file has a DTD, which no exported list needs. It was refused.')
  return kept + text.slice(end)
}

/** Return the XML document, and the browser's words about an error in it. */
function parse(text: string) {
  const xml = new DOMParser().parseFromString(plainXml(text), 'text/xml')
  return { root: xml.documentElement, error: xml.getElementsByTagName('parsererror')[0]?.textContent }
}

/** Return the text without control characters and with lone ampersands escaped. */
const mend = (text: string) =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is mended
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
    .replace(/&(?!(amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)/g, '&amp;')

/** Return the root of the XML, mended if it needs to be; throw FileError if it is then not XML either. */
function parseXml(text: string): Element {
  let { root, error } = parse(text)
  if (error !== undefined) ({ root, error } = parse(mend(text)))
  if (error === undefined) return root
  if (!text.includes('<myanimelist'))
    throw new FileError(
      'The file is not XML. MyAnimeList exports the right file (Profile, Anime List, Export).',
    )
  const line = /line (?:number )?(\d+)|^\s*(\d+):\d+/i.exec(error)
  const where = line ? ` in line ${line[1] ?? line[2]}` : ''
  throw new FileError(`The file is damaged or cut off${where}. Export the list again.`)
}

function* childrenOf(parent: Element) {
  for (let child = parent.firstElementChild; child; child = child.nextElementSibling) yield child
}

/** Return the text below an element by tag; the first of two with one name counts. */
function textsOf(entry: Element): Map<string, string> {
  const texts = new Map<string, string>()
  for (const child of childrenOf(entry))
    if (!texts.has(child.localName)) texts.set(child.localName, child.textContent.trim())
  return texts
}

/** Return the list in the text of a file; throw FileError if it holds none. */
export function parseList(text: string): ListFile {
  if (text.trim() === '') throw new FileError('The file is empty. Export the list again.')
  const isJson = /^\s*[{[]/.test(text)
  const { user, entries } = isJson ? readJson(text) : readXml(text)
  return { user, ...readEntries(entries, isJson) }
}

type Entries = { user: string; entries: Map<string, string>[] }

function readXml(text: string): Entries {
  const root = parseXml(text)
  const entries: Entries['entries'] = []
  const otherTags = new Set<string>()
  let user = ''
  for (const child of childrenOf(root)) {
    if (child.localName === 'anime') entries.push(textsOf(child))
    else otherTags.add(child.localName)
    if (child.localName === 'myinfo') user ||= textsOf(child).get('user_name') ?? ''
  }
  if (entries.length > 0) return { user, entries }
  if (otherTags.has('manga')) throw new FileError('The file is a manga list. Export the anime list instead.')
  if (root.localName !== 'myanimelist')
    throw new FileError('The file is XML, but not a list as MyAnimeList exports it.')
  throw new FileError('The file is a list without anime.')
}

/** Find entries anywhere in JSON: objects with AniList's `idMal`, or `scores` as in lists.jsonl. */
function readJson(text: string): Entries {
  const unvisited: unknown[] = []
  try {
    unvisited.push(JSON.parse(text))
  } catch {
    throw new FileError('The file is damaged or cut off. Export the list again.')
  }
  const entries: Entries['entries'] = []
  let user = ''
  while (unvisited.length > 0) {
    const value = unvisited.pop()
    if (Array.isArray(value)) for (const inner of value.reverse()) unvisited.push(inner)
    if (!isObject(value)) continue
    const name = isObject(value.user) ? value.user.name : value.user
    if (typeof name === 'string') user ||= name
    const media = isObject(value.media) ? value.media : value
    if ('idMal' in media && media.type !== 'MANGA') {
      entries.push(toEntry(media.idMal, value.score, value.status))
      continue
    }
    if (isObject(value.scores))
      for (const [id, score] of Object.entries(value.scores)) entries.push(toEntry(id, score, undefined))
    for (const inner of Object.values(value).reverse()) unvisited.push(inner)
  }
  if (entries.length > 0) return { user, entries }
  throw new FileError(
    'The file is JSON without MyAnimeList ids (idMal). For AniList, use recommend.py --user anilist:NAME.',
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function toEntry(id: unknown, score: unknown, status: unknown): Map<string, string> {
  const texts = [id, score, status].map((value) => String(value ?? ''))
  return new Map([ID_TAGS[0], 'my_score', 'my_status'].map((tag, index) => [tag, texts[index]]))
}

// ---- entries -> scores ----

/** Return what the entries say; of two with one id the last counts. Throws FileError if none has an id. */
function readEntries(entries: Entries['entries'], isJson: boolean): Omit<ListFile, 'user'> {
  const scores = new Map<number, number>()
  const statuses = new Map<number, string>()
  let withoutId = 0
  let unreadableScores = 0
  let highest = 0
  for (const entry of entries) {
    const id = readId(entry)
    if (!id) {
      withoutId++
      continue
    }
    const written = entry.get('my_score') ?? ''
    const score = readScore(written)
    if (score === null && written !== '') unreadableScores++
    highest = Math.max(highest, score ?? 0)
    // A score is not replaced by none.
    scores.set(id, score || scores.get(id) || 0)
    const status = STATUSES[(entry.get('my_status') ?? '').toLowerCase().replace(/[^a-z0-9]/g, '')]
    if (status) statuses.set(id, status)
  }
  if (scores.size === 0)
    throw new FileError(
      `The file has ${entries.length.toLocaleString('en')} entries and none of them has a MyAnimeList id.`,
    )
  const isStars = isJson && highest <= 5 && [...scores.values()].filter(Boolean).length >= FEWEST_STARS
  const scale = highest > 10 ? 100 : isStars ? 5 : 10
  for (const [id, score] of scores) scores.set(id, (score * 10) / scale)
  return { scores, statuses, entries: entries.length, withoutId, unreadableScores, scale }
}

/** Return the id of an entry, or 0 if it has none. */
function readId(entry: Map<string, string>): number {
  const written = ID_TAGS.map((tag) => entry.get(tag)).find(Boolean) ?? ''
  const id = /^[0-9]{1,10}$/.test(written) ? Number(written) : 0
  return id <= LARGEST_ID ? id : 0
}

/** Return a score from 0 to 100, written as 8, 08, 8.0 or 7,5; null if it is not one. */
function readScore(written: string): number | null {
  if (!/^[0-9]{1,3}([.,][0-9]{1,6})?$/.test(written)) return null
  const score = Number(written.replace(',', '.'))
  return score <= 100 ? score : null
}

/** Return one line on what was read. `onMap`: how many of the titles are on this map. */
export function report(list: ListFile, onMap: number): string {
  const count = (number: number) => number.toLocaleString('en')
  const scored = [...list.scores.values()].filter((score) => score > 0).length
  const parts = [`${count(list.entries)} entries read`, `${count(scored)} with a score`]
  parts.push(`${count(onMap)} on this map`)
  if (list.withoutId) parts.push(`${count(list.withoutId)} passed over: no MyAnimeList id`)
  if (list.unreadableScores) parts.push(`${count(list.unreadableScores)} with a score that cannot be read`)
  if (list.scale !== 10) parts.push(`scores are out of ${list.scale} and were scaled to 10`)
  if (!scored) {
    const completed = [...list.scores.keys()].filter((id) => list.statuses.get(id) === 'completed').length
    parts.push(`without scores, the ${count(completed)} completed titles count as liked`)
  }
  return `${parts.join(', ')}.`
}
