/** How much each entry of the user's list counts; the rules of aniembed/taste/opinions.py. */

/** Names of CONSTANTS of aniembed/taste/query.py, which has the values; graph.json brings them. */
export const CONSTANTS = [
  ...['usual_score', 'usual_weight', 'disliked_below', 'disliked_weight', 'unscored_weight'],
  ...['score_weight', 'predicted_weight', 'popularity_weight', 'exponent', 'exponent_growth'],
  ...['linear_weight', 'linear_titles', 'linear_fall', 'linear_popularity', 'noise', 'prior'],
  ...['scores_range', 'scores_noise', 'scores_bias', 'scores_slope', 'together_floor'],
]
export type Constants = Readonly<Record<string, number>>

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

/** Return the mean of the user's scores and of some more of the usual score of everybody. */
export function usualScore(scores: ReadonlyMap<number, number>, c: Constants): number {
  const given = [...scores.values()].filter((score) => score > 0)
  const sum = given.reduce((sum, score) => sum + score, c.usual_weight * c.usual_score)
  return sum / (given.length + c.usual_weight)
}

/** Return the entries that say what the user likes, by MAL id; opinions.weigh() has the rules. */
export function weigh({ scores, statuses }: Entries, c: Constants): Map<number, Opinion> {
  const usual = usualScore(scores, c)
  const opinions = new Map<number, Opinion>()
  for (const [id, score] of scores) {
    const status = statuses.get(id)
    const isDropped = status === 'dropped'
    if (score > 0 && score <= (isDropped ? usual : usual - c.disliked_below))
      opinions.set(id, { score, weight: c.disliked_weight })
    else if (score > 0 && !isDropped) opinions.set(id, { score, weight: 1 })
    else if (score === 0 && isDropped)
      opinions.set(id, { score: usual - c.disliked_below, weight: c.disliked_weight })
    else if (score === 0 && status === 'completed')
      opinions.set(id, { score: usual, weight: c.unscored_weight })
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
