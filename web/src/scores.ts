/** The user's scores: kept in this browser alone (localStorage), MAL id -> 1-10, or 0 for listed without a score. */
import { useCallback, useState } from 'react'
import type { AnimeGraph } from './graph'

export type Scores = ReadonlyMap<number, number>

/** The titles of the graph that have a score, as [MAL id, 1-10], the highest first. */
export function scoredOn(graph: AnimeGraph, scores: Scores): [number, number][] {
  return [...scores].filter(([id, score]) => score > 0 && graph.byId.has(id)).sort((a, b) => b[1] - a[1])
}

const KEY = 'aniembed-scores'

function read(): Scores {
  let pairs: unknown
  try {
    pairs = JSON.parse(localStorage.getItem(KEY) ?? '[]')
  } catch {
    // Storage that is switched off, or holds something else: the user begins with no scores.
    return new Map()
  }
  const valid = (Array.isArray(pairs) ? pairs : []).filter(
    (pair): pair is [number, number] =>
      Array.isArray(pair) &&
      Number.isSafeInteger(pair[0]) &&
      Number.isInteger(pair[1]) &&
      pair[1] >= 0 &&
      pair[1] <= 10,
  )
  return new Map(valid)
}

/** `kept` turns false when this browser refuses to store the scores, so that the page can say so. */
export function useScores() {
  const [scores, setScores] = useState(read)
  const [kept, setKept] = useState(true)
  const change = useCallback((next: Scores) => {
    setScores(next)
    try {
      localStorage.setItem(KEY, JSON.stringify([...next]))
      setKept(true)
    } catch {
      setKept(false)
    }
  }, [])
  return { scores, change, kept }
}
