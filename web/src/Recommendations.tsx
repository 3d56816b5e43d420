/** Recommendations from the user's scores, with filters. */
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Anime, AnimeGraph } from './graph'
import { Facts, mediaTypeName, TitleRow } from './parts'
import type { Recommendation } from './recommend'
import RecommendWorker from './recommend.worker?worker&inline'
import type { Scores } from './scores'

const STEP = 20

interface Props {
  graph: AnimeGraph
  scores: Scores
  onOpen(id: number): void
}

/**
 * Return what the worker answers; null before the first answer. `stale` while the answer to the present
 * scores is due.
 */
function useRecommendations(graph: AnimeGraph, scores: Scores) {
  const [result, setResult] = useState<{ number: number; recommendations: Recommendation[] } | null>(null)
  const worker = useRef<Worker>(null)
  const asked = useRef(0)
  useEffect(() => {
    const started = new RecommendWorker()
    const ids = graph.anime.map(({ id }) => id)
    started.postMessage({ ids, vectors: graph.vectors, model: graph.model })
    started.onmessage = ({ data }) => setResult(data)
    worker.current = started
    return () => started.terminate()
  }, [graph])
  useEffect(() => {
    asked.current++
    worker.current!.postMessage({ number: asked.current, scores })
  }, [graph, scores])
  return { recommendations: result?.recommendations ?? null, stale: result?.number !== asked.current }
}

interface Filters {
  yearFrom: string
  yearTo: string
  minScore: string
  type: string
}

/** Return whether a title passes. An unknown year, mean score or type does not pass a filter that is set. */
function passes({ year, mean, mediaType }: Anime, { yearFrom, yearTo, minScore, type }: Filters): boolean {
  const atLeast = (value: number | null, least: string) =>
    !Number(least) || (value !== null && value >= Number(least))
  const atMost = (value: number | null, most: string) =>
    !Number(most) || (value !== null && value <= Number(most))
  return (
    atLeast(year, yearFrom) &&
    atMost(year, yearTo) &&
    atLeast(mean, minScore) &&
    (!type || mediaType === type)
  )
}

export function Recommendations({ graph, scores, onOpen }: Props) {
  const { recommendations, stale } = useRecommendations(graph, scores)
  const [filters, setFilters] = useState<Filters>({ yearFrom: '', yearTo: '', minScore: '', type: '' })
  const [shown, setShown] = useState(STEP)
  if (!recommendations) return <p role="status">Computing recommendations…</p>
  const passing = recommendations.filter(({ id }) => passes(graph.byId.get(id)!, filters))
  return (
    <section aria-labelledby="recommended" aria-busy={stale}>
      <h3 id="recommended">Recommended for you</h3>
      <FilterFields graph={graph} filters={filters} onFilters={setFilters} />
      {recommendations.length === 0 && <p className="message">Your list has every title of this map.</p>}
      {recommendations.length > 0 && passing.length === 0 && (
        <p className="message">No title passes these filters.</p>
      )}
      <ol className="titles recommendations">
        {passing.slice(0, shown).map(({ id, reasons }) => (
          <TitleRow
            key={id}
            anime={graph.byId.get(id)!}
            onOpen={onOpen}
            note={
              <>
                <Facts anime={graph.byId.get(id)!} />
                {reasons.length > 0 && (
                  <span className="reasons">
                    because of {reasons.map((reason) => graph.byId.get(reason)!.title).join(' · ')}
                  </span>
                )}
              </>
            }
          />
        ))}
      </ol>
      {passing.length > shown && (
        <p>
          <button type="button" className="quiet" onClick={() => setShown(shown + STEP)}>
            Show more
          </button>
        </p>
      )}
    </section>
  )
}

interface FilterProps {
  graph: AnimeGraph
  filters: Filters
  onFilters(filters: Filters): void
}

function FilterFields({ graph, filters, onFilters }: FilterProps) {
  const types = useMemo(() => {
    const all = new Set(graph.anime.map(({ mediaType }) => mediaType))
    return [...all].filter((type) => type !== null).sort()
  }, [graph])
  const field = (name: keyof Filters) => ({
    value: filters[name],
    onChange: ({ target }: React.ChangeEvent<HTMLInputElement | HTMLSelectElement>) =>
      onFilters({ ...filters, [name]: target.value }),
  })
  return (
    <div className="filters">
      <label>
        From year
        <input type="number" inputMode="numeric" min={1900} max={2100} {...field('yearFrom')} />
      </label>
      <label>
        To year
        <input type="number" inputMode="numeric" min={1900} max={2100} {...field('yearTo')} />
      </label>
      <label>
        Min. score
        <input type="number" inputMode="decimal" min={1} max={10} step={0.1} {...field('minScore')} />
      </label>
      {types.length > 0 && (
        <label>
          Type
          <select {...field('type')}>
            <option value="">Any</option>
            {types.map((type) => (
              <option key={type} value={type}>
                {mediaTypeName(type)}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  )
}
