/** How pale a disc is. */
import type { Anime } from '../data/graph'
import type { View } from './view'

/** Shares of the background in the colour of a faded mark. */
const FADED = 0.72
const FADED_BRIEFLY = 0.85
/** Of a title that is far from what the user loves. */
const FADED_FAR = 0.6

/** Return the share of the background in the colour of a title's mark. */
export function fading({ id, cluster }: Anime, view: View): number {
  const briefly = view.hovered !== null || view.shownCluster !== null
  const faded =
    view.near.size > 0
      ? !view.near.has(id) && !view.trail.includes(id)
      : view.shownCluster !== null && cluster.id !== view.shownCluster
  if (faded) return briefly ? FADED_BRIEFLY : FADED
  const { lit } = view.ownList
  return view.near.size === 0 && lit.size > 0 && !lit.has(id) ? FADED_FAR : 0
}
