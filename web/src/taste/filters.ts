/**
 * Filters of the recommendations: those of aniembed/taste/filters.json, with the rules of filters.py. An unknown
 * fact does not pass a filter that asks for it.
 */
import table from '../../../aniembed/taste/filters.json'
import type { Anime } from '../data/graph'

export type Facts = Pick<
  Anime,
  | 'id'
  | 'media_type'
  | 'year'
  | 'season'
  | 'rating'
  | 'genres'
  | 'studios'
  | 'mean'
  | 'unscored'
  | 'prequels'
  | 'franchise'
>

export type Range = [first: number | null, last: number | null]

/** What is wanted of each filter that is set, by its keyword. */
export type Wanted = Readonly<Record<string, string[] | number[] | Range | number | string | boolean>>

/** The options of recommend.py. */
export interface Options {
  /** Titles that are listed. */
  number: number
  /** 0: popular titles first, 1: popularity left out. */
  niche: number
  /** Also sequels of what is not seen, and whole franchises. */
  sequels: boolean
  filters: Wanted
}

/** One row of filters.json. */
export interface FilterRow {
  keyword: string
  /** What the filter is called where it says how many titles it removes. */
  label: string
  fact: string
  rule: string
  /** Kind of the field in the form. */
  read: string
  help: string
}
export const FILTERS: FilterRow[] = table.filters

type Fact = string | number | boolean | string[]

/** By rule: whether a known fact passes, given what is wanted. Names are folded. */
// biome-ignore lint/suspicious/noExplicitAny: each rule has facts and wishes of its own
const RULES: Record<string, (fact: any, wanted: any) => boolean> = {
  any: (fact: Fact, wanted: Set<Fact>) => wanted.has(fact),
  all: (fact: Fact[], wanted: Set<Fact>) => [...wanted].every((name) => fact.includes(name)),
  none: (fact: Fact[], wanted: Set<Fact>) => !fact.some((name) => wanted.has(name)),
  range: (fact: number, [first, last]: Range) =>
    fact >= (first ?? Number.NEGATIVE_INFINITY) && fact <= (last ?? Number.POSITIVE_INFINITY),
  least: (fact: number, wanted: number) => fact >= wanted,
  not: (fact: boolean) => !fact,
  choice: (fact: boolean, wanted: string) => fact === (wanted === 'only'),
}

/** Return a name in the form in which names are compared, as filters.fold() does. */
const fold = (name: string) =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replace(/s$/, '')

const folded = (value: unknown): unknown =>
  typeof value === 'string' ? fold(value) : Array.isArray(value) ? value.map(folded) : value

export const isAdult = ({ rating, genres }: Facts) =>
  table.adult.rating.includes(rating ?? '') || genres.some((genre) => table.adult.genres.includes(genre))

/** Return the value that a filter looks at; null where it is unknown. `planned`: ids that are planned. */
export function factOf(anime: Facts, name: string, planned: ReadonlySet<number>): Fact | null {
  if (name === 'adult') return isAdult(anime)
  if (name === 'planned') return planned.has(anime.id)
  return anime[name as keyof Facts] as Fact | null
}

export const isSet = (wanted: Wanted[string] | undefined) =>
  !(
    wanted === undefined ||
    wanted === false ||
    wanted === 'also' ||
    (Array.isArray(wanted) && !wanted.length)
  )

type Filter = [name: string, passes: (anime: Facts) => boolean]

/** Return the filters that are set, in the order of filters.json. */
export function conditions(wanted: Wanted, planned: ReadonlySet<number>): Filter[] {
  return FILTERS.filter(({ keyword }) => isSet(wanted[keyword])).map(({ keyword, label, fact, rule }) => {
    const isOfNames = fact === 'media_type' || fact === 'genres'
    const given = isOfNames ? folded(wanted[keyword]) : wanted[keyword]
    const wish = ['any', 'all', 'none'].includes(rule) ? new Set(given as Fact[]) : given
    return [
      label,
      (anime) => {
        const value = factOf(anime, fact, planned)
        if (value === null) return false
        // An id is compared as a list of one.
        return RULES[rule](isOfNames ? folded(value) : fact === 'id' ? [value] : value, wish)
      },
    ]
  })
}

/** Return whether a title does not continue something unseen: it has no prequel, or a seen one. */
export const notBeforeItsPrequel = ({ prequels }: Facts, seen: ReadonlySet<number>) =>
  prequels.length === 0 || prequels.some((id) => seen.has(id))

/** Return the rows that pass all filters, and how many each filter removes, in their order. */
export function narrow(anime: Facts[], candidates: number[], filters: Filter[]) {
  const removed: [name: string, number: number][] = []
  let rows = candidates
  for (const [name, passes] of filters) {
    const passing = rows.filter((row) => passes(anime[row]))
    if (passing.length < rows.length) removed.push([name, rows.length - passing.length])
    rows = passing
  }
  return { rows, removed }
}

/** Return the rows of `order` without those whose franchise an earlier one has. */
export function bestOfFranchise(anime: Facts[], order: number[]): number[] {
  const met = new Set<number>()
  return order.filter((row) => {
    const { franchise } = anime[row]
    if (franchise === null) return true
    const isFirst = !met.has(franchise)
    met.add(franchise)
    return isFirst
  })
}

export const hasRelations = (anime: Facts[]) => anime.some(({ franchise }) => franchise !== null)
