/** The titles as text, for those who prefer it and for browsers without WebGL. */
import { useMemo, useState } from 'react'
import { type AnimeGraph, byPopularity } from '../data/graph'
import { TitleRow } from './parts'

const STEP = 100

interface Props {
  graph: AnimeGraph
  hiddenClusters: ReadonlySet<number>
  onOpen(id: number): void
}

export function ListView({ graph, hiddenClusters, onOpen }: Props) {
  const [shown, setShown] = useState(STEP)
  const [order, setOrder] = useState('popularity')
  const titles = useMemo(() => {
    const sorted = byPopularity(graph.anime)
    if (order === 'title') sorted.sort((a, b) => a.title.localeCompare(b.title))
    if (order === 'mean') sorted.sort((a, b) => (b.mean ?? 0) - (a.mean ?? 0))
    if (order === 'year') sorted.sort((a, b) => (b.year ?? 0) - (a.year ?? 0))
    return sorted.filter((anime) => !hiddenClusters.has(anime.cluster.id))
  }, [graph, hiddenClusters, order])
  return (
    <div className="list-view">
      <div className="list-head">
        <h2>
          {titles.length.toLocaleString('en')} {titles.length === 1 ? 'title' : 'titles'}
        </h2>
        <label>
          Sort by
          <select value={order} onChange={(event) => setOrder(event.target.value)}>
            <option value="popularity">Popularity</option>
            <option value="title">Title</option>
            <option value="mean">Mean score</option>
            <option value="year">Year</option>
          </select>
        </label>
      </div>
      <ol className="titles">
        {titles.slice(0, shown).map((anime) => (
          <TitleRow key={anime.id} anime={anime} onOpen={onOpen} />
        ))}
      </ol>
      {titles.length > shown && (
        <p>
          <button type="button" onClick={() => setShown(shown + STEP)}>
            Show more
          </button>
        </p>
      )}
    </div>
  )
}
