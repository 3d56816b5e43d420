/** The clusters with their counts; each can be switched off. */
import type { AnimeGraph } from './graph'
import { Dot } from './parts'

interface Props {
  graph: AnimeGraph
  hidden: ReadonlySet<number>
  onHidden(hidden: ReadonlySet<number>): void
  onShow(cluster: number | null): void
}

export function ClusterLegend({ graph, hidden, onHidden, onShow }: Props) {
  const toggle = (id: number) => {
    const next = new Set(hidden)
    if (!next.delete(id)) next.add(id)
    onHidden(next)
  }
  return (
    <div className="legend" onMouseLeave={() => onShow(null)}>
      <ul>
        {graph.clusters.map((cluster) => (
          <li key={cluster.id} onMouseEnter={() => onShow(hidden.has(cluster.id) ? null : cluster.id)}>
            <label>
              <input
                type="checkbox"
                checked={!hidden.has(cluster.id)}
                onChange={() => {
                  toggle(cluster.id)
                  onShow(null)
                }}
              />
              <Dot cluster={cluster} />
              <span className="legend-name">{cluster.name}</span>
              <span className="legend-count">{cluster.size.toLocaleString('en')}</span>
            </label>
          </li>
        ))}
      </ul>
      <p className="buttons">
        <button
          type="button"
          className="quiet"
          onClick={() => onHidden(new Set())}
          disabled={hidden.size === 0}
        >
          All
        </button>
        <button
          type="button"
          className="quiet"
          onClick={() => onHidden(new Set(graph.clusters.map(({ id }) => id)))}
          disabled={hidden.size === graph.clusters.length}
        >
          None
        </button>
      </p>
      {graph.pictureOrigin === null && (
        <p className="legend-note">This graph names no covers; coloured discs stand in for them.</p>
      )}
    </div>
  )
}
