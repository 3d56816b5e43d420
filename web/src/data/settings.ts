/** What the user chose for the map, as it is written in the address: `?color=year&off=1,2&names=english`. */
export const COLORINGS = {
  cluster: 'Cluster',
  mean: 'Mean score',
  year: 'Year',
  score: 'Your score',
} as const

export type ColorBy = keyof typeof COLORINGS

export type Language = 'romaji' | 'english'

export interface Settings {
  color: ColorBy
  /** Clusters that are switched off. */
  off: ReadonlySet<number>
  /** Language of the titles; null: that of the drawn map. */
  names: Language | null
  /** Whether the user's list is on the map. */
  mine: boolean
}

export const DEFAULTS: Settings = { color: 'cluster', off: new Set(), names: null, mine: true }

const MAX_SHARED = 5000

export function parseSettings(query: string): Settings {
  const values = new URLSearchParams(query)
  const color = values.get('color') ?? ''
  const names = values.get('names') ?? ''
  const off = (values.get('off') ?? '').split(',').filter((id) => /^-?\d{1,9}$/.test(id))
  return {
    color: Object.hasOwn(COLORINGS, color) ? (color as ColorBy) : DEFAULTS.color,
    off: new Set(off.map(Number)),
    names: names === 'romaji' || names === 'english' ? names : null,
    mine: values.get('mine') !== '0',
  }
}

/** Return the query of an address, with its `?`; empty where everything is as at first. */
export function formatSettings({ color, off, names, mine }: Settings): string {
  const parts: string[] = []
  if (color !== DEFAULTS.color) parts.push(`color=${color}`)
  if (off.size > 0) parts.push(`off=${[...off].sort((a, b) => a - b).join(',')}`)
  if (names) parts.push(`names=${names}`)
  if (!mine) parts.push('mine=0')
  return parts.length > 0 ? `?${parts.join('&')}` : ''
}

/** Return the scores of a link, `1535-10,16498-9`: MAL id -> 1 to 10, or 0 for a title without a score. */
export function parseShared(text: string): Map<number, number> {
  const scores = new Map<number, number>()
  for (const pair of text.split(',').slice(0, MAX_SHARED)) {
    const match = /^(\d{1,9})-(\d|10)$/.exec(pair)
    if (match) scores.set(Number(match[1]), Number(match[2]))
  }
  return scores
}

/** Return the part of a link that carries the scores; decimals are rounded. */
export const formatShared = (scores: Iterable<readonly [number, number]>) =>
  `r=${[...scores].map(([id, score]) => `${id}-${Math.round(score)}`).join(',')}`
