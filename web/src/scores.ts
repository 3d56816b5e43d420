/**
 * The user's scores: kept in this browser alone (localStorage), MAL id -> 1-10, or 0 for a title without a
 * score.
 */
import { useCallback, useMemo, useState } from 'react'
import type { AnimeGraph } from './graph'

export type Scores = ReadonlyMap<number, number>

/** Return the titles of the graph that have a score, as [MAL id, 1-10], the highest first. */
export function scoredOn(graph: AnimeGraph, scores: Scores): [number, number][] {
  return [...scores].filter(([id, score]) => score > 0 && graph.byId.has(id)).sort((a, b) => b[1] - a[1])
}

const KEY = 'aniembed-scores'

const isPair = (pair: unknown): pair is [number, number] =>
  Array.isArray(pair) &&
  Number.isSafeInteger(pair[0]) &&
  Number.isInteger(pair[1]) &&
  pair[1] >= 0 &&
  pair[1] <= 10

function parse(text: string): Scores {
  try {
    const pairs: unknown = JSON.parse(text)
    return new Map(Array.isArray(pairs) ? pairs.filter(isPair) : [])
  } catch {
    // Something else under this key: the user starts without scores.
    return new Map()
  }
}

/** Return the stored scores; `kept` is false where the browser does not allow storage. */
function read(): { scores: Scores; kept: boolean } {
  try {
    return { scores: parse(localStorage.getItem(KEY) ?? '[]'), kept: true }
  } catch {
    return { scores: new Map(), kept: false }
  }
}

function write(scores: Scores): boolean {
  try {
    localStorage.setItem(KEY, JSON.stringify([...scores]))
    return true
  } catch {
    return false
  }
}

/**
 * `scored`: the titles of this graph with a score, the highest first. `kept`: whether the browser keeps the
 * scores, so that the page can say so where it does not.
 */
export function useScores(graph: AnimeGraph) {
  const [{ scores, kept }, setState] = useState(read)
  const change = useCallback((scores: Scores) => setState({ scores, kept: write(scores) }), [])
  const scored = useMemo(() => scoredOn(graph, scores), [graph, scores])
  return { scores, scored, kept, change }
}
