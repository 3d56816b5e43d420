/** What the drawing depends on besides the graph and the camera. */

import type { Coloring } from '../data/coloring'
import type { ThemeColor } from '../data/colors'
import type { Anime } from '../data/graph'
import type { OwnList } from '../taste/useOwnList'
import type { Box, FreeArea } from './geometry'

interface Colors {
  theme: keyof ThemeColor
  background: string
  text: string
  accent: string
}

/** Changed in place, because sigma reads it at every frame. */
export interface View {
  colors: Colors
  free: FreeArea
  /** What lies over the map; no name is written there. */
  covered: Box[]
  hovered: number | null
  selected: number | null
  /** The titles that are not faded: the one in focus and its neighbours, or a group; empty if none is. */
  near: Set<number>
  trail: number[]
  hiddenClusters: ReadonlySet<number>
  shownCluster: number | null
  ownList: OwnList
  coloring: Coloring
  /** The title that Enter opens, while the map has the keyboard. */
  underCross: Anime | null
}

/** Return the colours of the style sheet. */
export function readColors(dark: boolean): Colors {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return {
    theme: dark ? 'dark' : 'light',
    background: read('--background'),
    text: read('--text'),
    accent: read('--accent'),
  }
}
