/** Statistics of the user's list: scores given and predicted, surprises, genres. */
import type { AnimeGraph } from '../data/graph'
import { likedGenres, type Surprise, surprises } from '../taste/taste'
import type { Recommended } from '../taste/useRecommendations'
import { Computing } from './parts'

interface Props {
  graph: AnimeGraph
  /** Titles with a score and on this map. */
  scored: [number, number][]
  recommended: Recommended
  onOpen(id: number): void
}

const MAX_SURPRISES = 8
const MAX_GENRES = 8

export function Taste({ graph, scored, recommended, onOpen }: Props) {
  const { withTaste, setWithTaste, answer } = recommended
  const found = answer?.byOthers && surprises(scored, answer.byOthers)
  return (
    <details open={withTaste} onToggle={({ currentTarget }) => setWithTaste(currentTarget.open)}>
      <summary>Your taste</summary>
      {!found && <Computing />}
      {found && found.length > 0 && (
        <>
          <Scatter graph={graph} found={found} />
          <h4>Most surprising scores</h4>
          <ol className="scored-titles">
            {found.slice(0, MAX_SURPRISES).map(({ id, given, predicted }) => (
              <li key={id}>
                <button type="button" onClick={() => onOpen(id)}>
                  {graph.byId.get(id)!.title}
                </button>
                <span>
                  <strong>{given}</strong>, not {predicted.toFixed(1)}
                </span>
              </li>
            ))}
          </ol>
          <Genres graph={graph} scored={scored} />
        </>
      )}
    </details>
  )
}

/** A dot for each title: to the right the score that the rest of the list predicts, upwards the one given. */
function Scatter({ graph, found }: { graph: AnimeGraph; found: Surprise[] }) {
  const off = found.reduce((sum, { given, predicted }) => sum + Math.abs(given - predicted), 0)
  return (
    <>
      <p>
        Predicted from the rest of your list, your scores are off by {(off / found.length).toFixed(1)} on
        average.
      </p>
      <svg className="scatter" viewBox="-10 -3 112 108" role="img" aria-label="Scores given and predicted">
        <line x1="0" y1="90" x2="90" y2="0" />
        <line x1="0" y1="90" x2="90" y2="90" />
        <line x1="0" y1="90" x2="0" y2="0" />
        <text x="90" y="97" textAnchor="end">
          predicted: 1 to 10
        </text>
        <text x="-3" y="0" textAnchor="end" transform="rotate(-90 -3 0)">
          given: 1 to 10
        </text>
        {found.map(({ id, given, predicted }) => (
          <circle key={id} cx={10 * (predicted - 1)} cy={100 - 10 * given} r="1.5">
            <title>{`${graph.byId.get(id)!.title}: ${given}, predicted ${predicted.toFixed(1)}`}</title>
          </circle>
        ))}
      </svg>
    </>
  )
}

function Genres({ graph, scored }: Pick<Props, 'graph' | 'scored'>) {
  const genres = likedGenres(graph.byId, scored).slice(0, MAX_GENRES)
  if (genres.length === 0) return null
  return (
    <>
      <h4>Genres you score above your average</h4>
      <ol className="scored-titles">
        {genres.map(({ name, titles, above }) => (
          <li key={name}>
            <span>
              {name} <span className="count">({titles} titles)</span>
            </span>
            <strong>+{above.toFixed(1)}</strong>
          </li>
        ))}
      </ol>
    </>
  )
}
