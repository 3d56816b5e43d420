/** A list that a link brings: it is looked at beside the user's own, and kept only on request. */
import { useMemo, useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import { useRoute } from '../data/route'
import { EMPTY, scoredOn, type UserList, type useScores } from './scores'

type Scores = ReturnType<typeof useScores>

/** Return what stands for the user's scores while a link's are shown, and what can be done with these. */
export function useSharedList(graph: AnimeGraph, own: Scores) {
  const { shared, forgetShared } = useRoute()
  const [seen, setSeen] = useState<{ shared: typeof shared; list: UserList } | null>(null)
  // One object for as long as it says the same: whatever depends on the list is computed again for another.
  const list = useMemo(
    () => shared && (seen?.shared === shared ? seen.list : { ...EMPTY, scores: shared }),
    [shared, seen],
  )
  const scored = useMemo(() => list && scoredOn(graph, list.scores), [graph, list])
  if (!shared || !list || !scored) return { scores: own, link: null }
  const scores: Scores = {
    ...own,
    list,
    scores: list.scores,
    scored,
    last: null,
    // Changes of a list that is only looked at are forgotten with it.
    change: (next) => setSeen({ shared, list: typeof next === 'function' ? next(list) : next }),
  }
  const keep = () => {
    const both = new Map([...list.scores, ...own.list.scores])
    own.change({ ...own.list, scores: both }, 'The scores of the link are on your list.')
    forgetShared()
  }
  return { scores, link: { count: scored.length, keep, leave: forgetShared } }
}

export type SharedLink = NonNullable<ReturnType<typeof useSharedList>['link']>
