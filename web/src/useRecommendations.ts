/** The worker that recommends, and what the panel shows of it; both outlive the panel. */
import { useEffect, useRef, useState } from 'react'
import type { Options } from './filters'
import type { AnimeGraph } from './graph'
import type { Answer } from './recommend.worker'
import RecommendWorker from './recommend.worker?worker&inline'
import type { UserList } from './scores'

/** Titles that are listed at first, and more at a time. */
export const STEP = 20

export const DEFAULTS: Options = {
  number: STEP,
  types: [],
  firstYear: null,
  lastYear: null,
  genres: [],
  notGenres: [],
  minScore: null,
  planned: 'also',
  niche: 0,
  sequels: false,
}

/**
 * `answer`: null before the first one. `stale`: the answer to the present list and options is due. `scroll`:
 * how far down the panel was when it was last shown.
 */
export function useRecommendations(graph: AnimeGraph, list: UserList) {
  const [options, setOptions] = useState(DEFAULTS)
  const [withTaste, setWithTaste] = useState(false)
  const [answer, setAnswer] = useState<Answer | null>(null)
  const worker = useRef<Worker>(null)
  const scroll = useRef(0)
  const asked = useRef(0)
  // A user without a list needs no worker.
  const isNeeded = graph.model !== null && list.scores.size > 0
  useEffect(() => {
    if (!isNeeded) return
    const started = new RecommendWorker()
    started.postMessage({ anime: graph.anime, vectors: graph.vectors, model: graph.model })
    started.onmessage = ({ data }) => setAnswer(data)
    worker.current = started
    return () => {
      started.terminate()
      setAnswer(null)
    }
  }, [graph, isNeeded])
  useEffect(() => {
    if (!isNeeded) return
    asked.current++
    worker.current!.postMessage({ number: asked.current, list, options, withTaste })
  }, [graph, isNeeded, list, options, withTaste])
  return {
    options,
    setOptions,
    withTaste,
    setWithTaste,
    answer,
    stale: answer?.number !== asked.current,
    scroll,
  }
}

export type Recommended = ReturnType<typeof useRecommendations>
