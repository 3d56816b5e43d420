/** The user's own scores, the list file, and what follows from them: recommendations. */
import { useEffect, useMemo, useRef, useState } from 'react'
import { FileError } from './file'
import type { AnimeGraph } from './graph'
import { readListFile } from './listfile'
import { Facts, mediaTypeName, PanelHead, TitleRow } from './parts'
import type { Recommendation } from './recommend'
import { type Scores, scoredOn } from './scores'

interface Props {
  graph: AnimeGraph
  scores: Scores
  /** Those of them that are on this map and no 0, the highest first. */
  scored: [number, number][]
  kept: boolean
  onScores(scores: Scores): void
  onOpen(id: number): void
  onClose(): void
  /** A file that was dropped on the page; a new object for each drop. */
  dropped: File | null
}

const STEP = 20

const count = (number: number, one: string, more: string) =>
  `${number.toLocaleString('en')} ${number === 1 ? one : more}`

export function ScoresPanel({ graph, scores, scored, kept, onScores, onOpen, onClose, dropped }: Props) {
  const picker = useRef<HTMLInputElement>(null)
  const [message, setMessage] = useState<{ text: string; bad?: boolean; undo?: Scores } | null>(null)
  const [reading, setReading] = useState(false)

  const read = async (file: File) => {
    setReading(true)
    setMessage(null)
    try {
      const list = await readListFile(file)
      const withScore = [...list.scores.values()].filter((score) => score > 0).length
      onScores(new Map([...scores, ...list.scores]))
      setMessage({
        text: `${list.user ? `The list of ${list.user}` : 'The list'}: ${count(list.scores.size, 'entry', 'entries')}, ${withScore.toLocaleString('en')} with a score, ${scoredOn(graph, list.scores).length.toLocaleString('en')} of these on this map.`,
      })
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      setMessage({ text: error.message, bad: true })
    } finally {
      setReading(false)
    }
  }
  const handled = useRef<File | null>(null)
  useEffect(() => {
    if (dropped && handled.current !== dropped) {
      handled.current = dropped
      void read(dropped)
    }
  })

  const forget = () => {
    setMessage({ text: 'All scores are forgotten.', undo: scores })
    onScores(new Map())
  }
  const undo = (forgotten: Scores) => {
    setMessage(null)
    onScores(forgotten)
  }
  return (
    <>
      <PanelHead title="Your scores" onClose={onClose} />
      <p>
        Give titles stars on their pages, or open the list that MyAnimeList exports (XML or .gz; drop it
        anywhere on this page). It is read in your browser and never leaves it.
      </p>
      <p className="buttons">
        <button type="button" onClick={() => picker.current!.click()} disabled={reading}>
          {reading ? 'Reading the list…' : 'Open list file'}
        </button>
        {scores.size > 0 && (
          <button type="button" className="quiet" onClick={forget}>
            Forget all scores
          </button>
        )}
      </p>
      <input
        ref={picker}
        type="file"
        accept=".xml,.gz,text/xml,application/gzip"
        hidden
        aria-label="List file"
        onChange={(event) => {
          const file = event.target.files?.[0]
          event.target.value = ''
          if (file) void read(file)
        }}
      />
      <div role="status">
        {message && (
          <p className={message.bad ? 'message bad' : 'message'}>
            {message.text}
            {message.undo && (
              <>
                {' '}
                <button type="button" className="quiet" onClick={() => undo(message.undo!)}>
                  Undo
                </button>
              </>
            )}
          </p>
        )}
        {!kept && (
          <p className="message">
            This browser keeps no data for this page, so the scores last only until you close it.
          </p>
        )}
      </div>
      {scored.length > 0 && (
        <details>
          <summary>{count(scored.length, 'scored title', 'scored titles')} on this map</summary>
          <ol className="own-scores">
            {scored.slice(0, 200).map(([id, score]) => (
              <li key={id}>
                <button type="button" onClick={() => onOpen(id)}>
                  {graph.byId.get(id)!.title}
                </button>{' '}
                <strong>{score}</strong>
              </li>
            ))}
          </ol>
          {scored.length > 200 && <p>… and {scored.length - 200} more.</p>}
        </details>
      )}
      {graph.model === null ? (
        <p className="message">
          This graph does not hold what recommending needs; make it anew with embeddings.py.
        </p>
      ) : scored.length === 0 ? (
        !message && (
          <p className="message">
            No title on this map has a score of yours yet, so there is nothing to recommend from.
          </p>
        )
      ) : (
        <RecommendationList graph={graph} scores={scores} onOpen={onOpen} />
      )}
    </>
  )
}

/** What the worker makes of the scores; null until the first answer. `stale` while an answer to the present scores is due. */
function useRecommendations(graph: AnimeGraph, scores: Scores) {
  const [result, setResult] = useState<{ number: number; recommendations: Recommendation[] } | null>(null)
  const worker = useRef<Worker>(null)
  const asked = useRef(0)
  useEffect(() => {
    const started = new Worker(new URL('./recommend.worker.ts', import.meta.url), { type: 'module' })
    started.postMessage({ ids: graph.anime.map(({ id }) => id), vectors: graph.vectors, model: graph.model })
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

function RecommendationList({ graph, scores, onOpen }: Pick<Props, 'graph' | 'scores' | 'onOpen'>) {
  const { recommendations, stale } = useRecommendations(graph, scores)
  const [yearFrom, setYearFrom] = useState('')
  const [yearTo, setYearTo] = useState('')
  const [meanFrom, setMeanFrom] = useState('')
  const [type, setType] = useState('')
  const [shown, setShown] = useState(STEP)
  const types = useMemo(
    () => [...new Set(graph.anime.map((anime) => anime.mediaType))].filter((one) => one !== null).sort(),
    [graph],
  )

  if (!recommendations) return <p role="status">Looking for what suits you…</p>
  // An unknown year, mean or kind meets no condition that is set.
  const from = Number(yearFrom) || -Infinity,
    to = Number(yearTo) || Infinity,
    mean = Number(meanFrom) || -Infinity
  const passing = recommendations.filter(({ id }) => {
    const anime = graph.byId.get(id)!
    return (
      (!yearFrom || (anime.year ?? -Infinity) >= from) &&
      (!yearTo || (anime.year ?? Infinity) <= to) &&
      (!meanFrom || (anime.mean ?? -Infinity) >= mean) &&
      (!type || anime.mediaType === type)
    )
  })
  return (
    <section aria-labelledby="recommended" aria-busy={stale}>
      <h3 id="recommended">Recommended for you</h3>
      <div className="filters">
        <label>
          From year
          <input
            type="number"
            inputMode="numeric"
            min={1900}
            max={2100}
            value={yearFrom}
            onChange={(event) => setYearFrom(event.target.value)}
          />
        </label>
        <label>
          To year
          <input
            type="number"
            inputMode="numeric"
            min={1900}
            max={2100}
            value={yearTo}
            onChange={(event) => setYearTo(event.target.value)}
          />
        </label>
        <label>
          Mean from
          <input
            type="number"
            inputMode="decimal"
            min={1}
            max={10}
            step={0.1}
            value={meanFrom}
            onChange={(event) => setMeanFrom(event.target.value)}
          />
        </label>
        {types.length > 0 && (
          <label>
            Kind
            <select value={type} onChange={(event) => setType(event.target.value)}>
              <option value="">Any</option>
              {types.map((one) => (
                <option key={one} value={one}>
                  {mediaTypeName(one)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {passing.length === 0 && (
        <p className="message">
          {recommendations.length === 0
            ? 'Every title of this map is on your list already.'
            : 'No title passes these filters.'}
        </p>
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
                <Because titles={reasons.map((reason) => graph.byId.get(reason)!.title)} />
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

function Because({ titles }: { titles: string[] }) {
  return titles.length > 0 ? <span className="because">because of {titles.join(' · ')}</span> : null
}
