/** How much each entry of the user's list counts; the rules of aniembed/taste/opinions.py. */

/** Mean of the scores of mal-2016; it counts as USUAL_WEIGHT scores of the user's own. */
export const USUAL_SCORE = 7.8
const USUAL_WEIGHT = 5
/** Points below the user's usual score from where a score is a dislike. */
const DISLIKED_BELOW = 2
const DISLIKED_WEIGHT = -0.1
/** Of a title that is completed without a score, beside one that has the usual score. */
const UNSCORED_WEIGHT = 0.5

/** A member's list: scores 0 to 10, 0 without a score; statuses in the words of MyAnimeList's API. */
export interface Entries {
  scores: ReadonlyMap<number, number>
  statuses: ReadonlyMap<number, string>
}

interface Opinion {
  score: number
  /** Below 0 for a dislike. */
  weight: number
}

/** Return the mean of the user's scores and of five more of 7.8. */
export function usualScore(scores: ReadonlyMap<number, number>): number {
  const given = [...scores.values()].filter((score) => score > 0)
  return given.reduce((sum, score) => sum + score, USUAL_WEIGHT * USUAL_SCORE) / (given.length + USUAL_WEIGHT)
}

/** Return the entries that say what the user likes, by MAL id; opinions.weigh() has the rules. */
export function weigh({ scores, statuses }: Entries): Map<number, Opinion> {
  const usual = usualScore(scores)
  const opinions = new Map<number, Opinion>()
  for (const [id, score] of scores) {
    const status = statuses.get(id)
    if (score > 0) opinions.set(id, { score, weight: score <= usual - DISLIKED_BELOW ? DISLIKED_WEIGHT : 1 })
    else if (status === 'dropped')
      opinions.set(id, { score: usual - DISLIKED_BELOW, weight: DISLIKED_WEIGHT })
    else if (status === 'completed') opinions.set(id, { score: usual, weight: UNSCORED_WEIGHT })
  }
  return opinions
}

/** Return the titles that the user plans to watch and has not scored. */
export function plannedTitles({ scores, statuses }: Entries): Set<number> {
  const planned = [...scores].filter(([id, score]) => !score && statuses.get(id) === 'plan_to_watch')
  return new Set(planned.map(([id]) => id))
}

/** Return the titles that count as what comes before a sequel: all but what is planned or was dropped. */
export function seenTitles(entries: Entries): Set<number> {
  const planned = plannedTitles(entries)
  const isSeen = (id: number) => !planned.has(id) && entries.statuses.get(id) !== 'dropped'
  return new Set([...entries.scores.keys()].filter(isSeen))
}
