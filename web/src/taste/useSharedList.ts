/** Another person's list, from a link or a file: it is shown beside the user's own, and added only on request. */
import { useCallback, useMemo, useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import { useRoute } from '../data/route'
import { EMPTY, imported, scoredOn, type UserList, type useScores } from './scores'
import { useFiles } from './useListFiles'

type Scores = ReturnType<typeof useScores>

/**
 * `scores`: what stands for the user's scores while those of the other person are shown. `shared`: null
 * without another list; `together`: recommend for both. `lists`: whom to recommend to. `friendFile`: reads the
 * list of a friend.
 */
export function useSharedList(graph: AnimeGraph, own: Scores) {
  const { shared: fromLink, forgetShared } = useRoute()
  // What came with this link; a list from a file, or one that the user has changed to try something.
  const [seen, setSeen] = useState<{ link: typeof fromLink; list: UserList } | null>(null)
  const [together, setTogether] = useState(false)
  // One object for as long as it says the same: whatever depends on the list is computed again for another.
  const list = useMemo(
    () => (seen?.link === fromLink ? seen.list : fromLink && { ...EMPTY, scores: fromLink }),
    [fromLink, seen],
  )
  const scored = useMemo(() => (list ? scoredOn(graph, list.scores) : []), [graph, list])
  const both = together && own.list.scores.size > 0
  const lists = useMemo(() => (!list ? [own.list] : both ? [own.list, list] : [list]), [own.list, list, both])
  const friendFile = useFiles(
    graph,
    useCallback(
      (file) => {
        setSeen({ link: fromLink, list: imported(EMPTY, file) })
        setTogether(true)
      },
      [fromLink],
    ),
  )
  if (!list) return { scores: own, shared: null, lists, friendFile }
  const leave = () => {
    setSeen(null)
    setTogether(false)
    forgetShared()
  }
  const keep = () => {
    own.change(
      (mine) => ({ ...mine, scores: new Map([...list.scores, ...mine.scores]) }),
      'The shared scores are on your list.',
    )
    leave()
  }
  const scores: Scores = {
    ...own,
    list,
    scores: list.scores,
    scored,
    last: null,
    // Changes of a list that is only looked at are forgotten with it.
    change: (next) => setSeen({ link: fromLink, list: next(list) }),
  }
  const canJoin = own.list.scores.size > 0
  const shared = { count: scored.length, together: both, setTogether, canJoin, keep, leave }
  return { scores: both ? own : scores, shared, lists, friendFile }
}

export type SharedList = NonNullable<ReturnType<typeof useSharedList>['shared']>
