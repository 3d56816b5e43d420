/** Which marks show their covers. */
import type Sigma from 'sigma'
import type { Marks } from './marks'
import type { View } from './view'

/** Radius in pixels from which a mark is large enough for a cover. */
const COVER_RADIUS = 11
/** The texture never frees a cover, so their number is limited: 2,000 take about 75 MB. */
const MAX_COVERS = 2000
/** Covers that start to load at one time. */
const MAX_STARTED = 200

export class Covers {
  /** Titles whose covers are in the texture. */
  private loaded = new Set<number>()

  constructor(
    private sigma: Sigma,
    private marks: Marks,
    private view: View,
  ) {}

  /**
   * Show covers on marks that have become large enough, hide those on marks that no longer are. Return the
   * ids of both.
   */
  update(): number[] {
    const { covers } = this.view
    const scale = this.sigma.scaleSize(1)
    const changed = [...covers].filter((id) => this.sigma.getNodeDisplayData(id)!.size * scale < COVER_RADIUS)
    for (const id of changed) covers.delete(id)
    let started = 0
    for (const { anime, mark } of this.marks.visible()) {
      if (!anime.picture || mark.radius < COVER_RADIUS || covers.has(anime.id)) continue
      if (!this.loaded.has(anime.id)) {
        if (this.loaded.size >= MAX_COVERS || ++started > MAX_STARTED) continue
        this.loaded.add(anime.id)
      }
      covers.add(anime.id)
      changed.push(anime.id)
    }
    return changed
  }
}
