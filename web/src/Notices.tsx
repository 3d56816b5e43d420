/** Short notes over the map. */
import { useEffect, useState } from 'react'
import type { Anime, AnimeGraph } from './graph'

const NO_COVERS = 'Covers cannot be loaded at the moment. Coloured cards are shown instead.'

/**
 * Return the notes for what is shown; `selected`: the title whose neighbours should be on the map, or null.
 */
export function useNotices(
  graph: AnimeGraph,
  hidden: ReadonlySet<number>,
  selected: Anime | null,
  mapWorks: boolean,
) {
  const [dismissible, setDismissible] = useState(graph.notices)
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
  if (!mapWorks)
    fixed.push('This browser does not offer WebGL, so the titles are shown as a list instead of a map.')
  const dismiss = (notice: string) => setDismissible(dismissible.filter((other) => other !== notice))
  return { fixed, dismissible, dismiss }
}

export function Notices({ fixed, dismissible, dismiss }: ReturnType<typeof useNotices>) {
  return (
    <div className="notices" role="status">
      {fixed.map((notice) => (
        <p key={notice}>{notice}</p>
      ))}
      {dismissible.map((notice) => (
        <p key={notice}>
          {notice}
          <button type="button" onClick={() => dismiss(notice)} aria-label="Dismiss this note">
            ×
          </button>
        </p>
      ))}
    </div>
  )
}
