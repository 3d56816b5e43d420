/** The colour of each disc: by cluster, or by a number from dark blue over green to yellow. */
import { forThemes, mix, type ThemeColor } from './colors'
import type { Anime, AnimeGraph } from './graph'
import type { ColorBy } from './settings'

/** Viridis, by van der Walt and Smith: even steps for every kind of eye. */
const RAMP = ['#440154', '#3b528b', '#21918c', '#5ec962', '#fde725']
const STEPS = 24
/** From a low score to a high one; lightness differs, too. */
const SCORES = ['#a50026', '#d73027', '#f46d43', '#e0a030', '#a0b83a', '#4fa84f', '#1a9850', '#006837'].map(
  forThemes,
)
const UNKNOWN = forThemes('#8a8f98')

const PALETTE = Array.from({ length: STEPS }, (_, step) => {
  const at = (step / (STEPS - 1)) * (RAMP.length - 1)
  const k = Math.min(Math.floor(at), RAMP.length - 2)
  return forThemes(mix(RAMP[k], RAMP[k + 1], at - k))
})

/** Lowest score with a colour of its own; few people give less. */
const LOW_SCORE = 3

/** Return the colour of a score, 1 to 10, for the rings on the map: red for low ones, green for high ones. */
export function scoreColor(score: number): ThemeColor {
  const share = Math.max(0, (score - LOW_SCORE) / (10 - LOW_SCORE))
  return SCORES[Math.round(share * (SCORES.length - 1))]
}

export interface Coloring {
  of(anime: Anime): ThemeColor
  /** Colours from the least number to the most; null where the colour is that of the cluster. */
  scale: { colors: ThemeColor[]; least: string; most: string; hasUnknown: boolean } | null
}

const byCluster: Coloring = { of: ({ cluster }) => cluster.color, scale: null }

/** Return the colouring. `score`: the score that the user gave or is likely to give a title, or null. */
export function makeColoring(
  graph: AnimeGraph,
  by: ColorBy,
  score: (anime: Anime) => number | null,
): Coloring {
  if (by === 'cluster') return byCluster
  const numberOf = by === 'score' ? score : (anime: Anime) => anime[by]
  const values = graph.anime.map(numberOf).filter((value) => value !== null)
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const text = (value: number) => (by === 'year' ? String(value) : value.toFixed(1))
  return {
    of: (anime) => {
      const value = numberOf(anime)
      if (value === null) return UNKNOWN
      return PALETTE[Math.round(((value - least) / (most - least || 1)) * (STEPS - 1))]
    },
    scale: {
      colors: PALETTE,
      least: values.length > 0 ? text(least) : '–',
      most: values.length > 0 ? text(most) : '–',
      hasUnknown: values.length < graph.anime.length,
    },
  }
}
