/** Short notes over the map. */
import { useCallback, useEffect, useState } from 'react'
import type { Anime, AnimeGraph } from '../data/graph'
import type { SharedList } from '../taste/useSharedList'
import { titleCount } from './parts'

const NO_COVERS = 'Covers cannot be loaded at the moment. Coloured cards are shown instead.'

const INTRO = 'Near means liked by the same people. Choose a title to see what is nearest to it.'
const INTRO_KEY = 'aniembed-intro'

/** Return whether the first words are still to be said; where nothing is stored, they are said again. */
function introIsDue(): boolean {
  try {
    return localStorage.getItem(INTRO_KEY) === null
  } catch {
    return true
  }
}

function forgetIntro() {
  try {
    localStorage.setItem(INTRO_KEY, 'read')
  } catch {
    // This browser does not keep data: the next visit says it again.
  }
}

/** Return the first words of the page, and what puts them away; whoever has opened something knows them. */
export function useIntro(opened: boolean) {
  const [due, setDue] = useState(introIsDue)
  const dismiss = useCallback(() => {
    forgetIntro()
    setDue(false)
  }, [])
  useEffect(() => {
    if (opened) dismiss()
  }, [opened, dismiss])
  return { text: due ? INTRO : null, dismiss }
}

/**
 * Return the notes for what is shown; `selected`: the title whose neighbours should be on the map, or null;
 * `fault`: why there is no map, or null.
 */
export function useNotices(
  graph: AnimeGraph,
  hidden: ReadonlySet<number>,
  selected: Anime | null,
  fault: string | null,
) {
  const [dismissible, setDismissible] = useState<string[]>([])
  useEffect(() => {
    const onError = (event: Event) => {
      if (!(event.target as HTMLElement).matches?.('img.cover')) return
      setDismissible((notices) => [...notices, NO_COVERS])
      document.removeEventListener('error', onError, true)
    }
    document.addEventListener('error', onError, true)
    return () => document.removeEventListener('error', onError, true)
  }, [])

  const fixed: string[] = []
  const near = selected ? graph.neighbours.get(selected.id)! : []
  const missing = near.filter(({ id }) => hidden.has(graph.byId.get(id)!.cluster.id)).length
  if (graph.clusters.every(({ id }) => hidden.has(id))) fixed.push('All clusters are switched off.')
  if (missing === 1) fixed.push('One neighbour is not on the map: its cluster is switched off.')
  if (missing > 1) fixed.push(`${missing} neighbours are not on the map: their clusters are switched off.`)
  if (fault) fixed.push(fault)
  const dismiss = (notice: string) => setDismissible(dismissible.filter((other) => other !== notice))
  return { fixed, dismissible, dismiss }
}

type Props = ReturnType<typeof useNotices> & {
  intro: ReturnType<typeof useIntro>
  shared: SharedList | null
}

export function Notices({ fixed, dismissible, dismiss, intro, shared }: Props) {
  return (
    <div className="notices" role="status">
      {shared && (
        <p className="shared-notice">
          <SharedChoice {...shared} />
        </p>
      )}
      {!shared && intro.text && (
        <p className="intro">
          {intro.text}
          <button type="button" onClick={intro.dismiss} aria-label="Dismiss">
            ×
          </button>
        </p>
      )}
      {fixed.map((notice) => (
        <p key={notice}>{notice}</p>
      ))}
      {dismissible.map((notice) => (
        <p key={notice}>
          {notice}
          <button type="button" onClick={() => dismiss(notice)} aria-label="Dismiss">
            ×
          </button>
        </p>
      ))}
    </div>
  )
}

/** Says whose scores are shown, and what can be done with them. */
export const SharedChoice = ({ count, together, setTogether, canJoin, keep, leave }: SharedList) => (
  <span>
    {together
      ? 'Recommended for both of you: what neither has seen and both should like.'
      : `These scores were shared with you: ${titleCount(count)} of this map. Yours are unchanged.`}
    <span className="buttons">
      {canJoin && (
        <button type="button" onClick={() => setTogether(!together)}>
          {together ? 'Only theirs' : 'Watch together'}
        </button>
      )}
      <button type="button" onClick={keep}>
        Add to mine
      </button>
      <button type="button" onClick={leave}>
        Back to mine
      </button>
    </span>
  </span>
)
