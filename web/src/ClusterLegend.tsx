/** The clusters with their numbers of titles; each can be switched off. */
import type { AnimeGraph } from './graph'
import { Dot } from './parts'

interface Props {
  graph: AnimeGraph
  hidden: ReadonlySet<number>
  setHidden(hidden: ReadonlySet<number>): void
  /** The pointer is on a cluster, or on none. */
  setShown(cluster: number | null): void
}

export function ClusterLegend({ graph, hidden, setHidden, setShown }: Props) {
  const toggle = (id: number) => {
    const next = new Set(hidden)
    if (!next.delete(id)) next.add(id)
    setHidden(next)
    setShown(null)
  }
  const hideAll = () => setHidden(new Set(graph.clusters.map(({ id }) => id)))
  return (
    <div className="legend">
      <ul onMouseLeave={() => setShown(null)}>
        {graph.clusters.map(({ id, name, size, color }) => (
          <li key={id} onMouseEnter={() => setShown(hidden.has(id) ? null : id)}>
            <label>
              <input type="checkbox" checked={!hidden.has(id)} onChange={() => toggle(id)} />
              <Dot color={color} />
              <span className="legend-name">{name}</span>
              <span className="legend-count">{size.toLocaleString('en')}</span>
            </label>
          </li>
        ))}
      </ul>
      <p className="buttons">
        <button
          type="button"
          className="quiet"
          onClick={() => setHidden(new Set())}
          disabled={hidden.size === 0}
        >
          All
        </button>
        <button
          type="button"
          className="quiet"
          onClick={hideAll}
          disabled={hidden.size === graph.clusters.length}
        >
          None
        </button>
      </p>
      <p className="legend-note">
        {graph.anime.length.toLocaleString('en')} titles
        {graph.lists && `, from the scores in ${graph.lists.toLocaleString('en')} lists`}.
        {graph.pictureOrigin === null && ' The graph has no covers.'}
      </p>
    </div>
  )
}
