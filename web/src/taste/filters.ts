/** Which titles pass: the rules of aniembed/taste/filters.py. An unknown fact does not pass a filter that asks for it. */
import type { Anime } from '../data/graph'

export type Facts = Pick<Anime, 'id' | 'mediaType' | 'year' | 'genres' | 'mean' | 'prequels' | 'franchise'>

/** The options of recommend.py; an empty list and null are an option that is not set. */
export interface Options {
  /** Titles that are listed. */
  number: number
  /** Any of these will do. */
  types: string[]
  firstYear: number | null
  lastYear: number | null
  /** A title has to have all of these. */
  genres: string[]
  /** A title may have none of these. */
  notGenres: string[]
  minScore: number | null
  /** Recommend what the user plans to watch: among the rest, nothing else, not at all. */
  planned: 'also' | 'only' | 'no'
  /** 0: popular titles first, 1: popularity left out. */
  niche: number
  /** Also sequels of what is not seen, and whole franchises. */
  sequels: boolean
}

type Filter = [name: string, passes: (anime: Facts) => boolean]

const fold = (name: string) => name.toLowerCase()

/** Return the filters that are set, in the order of filters.conditions(), by what the page calls them. */
export function conditions(options: Options, unwanted: ReadonlySet<number>): Filter[] {
  const { firstYear, lastYear, minScore } = options
  const [types, genres, notGenres] = [options.types, options.genres, options.notGenres].map((names) =>
    names.map(fold),
  )
  const filters: [isSet: boolean, ...Filter][] = [
    [types.length > 0, 'type', ({ mediaType }) => mediaType !== null && types.includes(fold(mediaType))],
    [
      firstYear !== null || lastYear !== null,
      'year',
      ({ year }) =>
        year !== null &&
        year >= (firstYear ?? Number.NEGATIVE_INFINITY) &&
        year <= (lastYear ?? Number.POSITIVE_INFINITY),
    ],
    [genres.length > 0, 'genre', (anime) => genres.every((genre) => anime.genres.map(fold).includes(genre))],
    [
      notGenres.length > 0,
      'genre left out',
      (anime) => !anime.genres.some((genre) => notGenres.includes(fold(genre))),
    ],
    [minScore !== null, 'mean score', ({ mean }) => mean !== null && mean >= minScore!],
    [unwanted.size > 0, 'not interested', ({ id }) => !unwanted.has(id)],
  ]
  return filters.filter(([isSet]) => isSet).map(([, name, passes]) => [name, passes])
}

/** Return whether a title does not continue something unseen: it has no prequel, or a seen one. */
export const notBeforeItsPrequel = ({ prequels }: Facts, seen: ReadonlySet<number>) =>
  prequels.length === 0 || prequels.some((id) => seen.has(id))

/** Return the rows that pass all filters, and how many each filter took, in their order. */
export function narrow(anime: Facts[], candidates: number[], filters: Filter[]) {
  const taken: [name: string, number: number][] = []
  let left = candidates
  for (const [name, passes] of filters) {
    const passing = left.filter((row) => passes(anime[row]))
    if (passing.length < left.length) taken.push([name, left.length - passing.length])
    left = passing
  }
  return { left, taken }
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
