/** The worker that recommends, and what the panel shows of it; both outlive the panel. */
import { useEffect, useMemo, useRef, useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import type { Options } from './filters'
import type { Answer, Explanation, Question } from './recommend.worker'
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

/** Questions that have been asked. */
let questions = 0

/**
 * `selected`: the MAL id of the open title, or null. `answer`: null before the first one. `explanation`: what
 * the list says of the open title, or null. `stale`: the answer to the present list and options is due.
 * `scroll`: how far down the panel was when it was last shown.
 */
export function useRecommendations(graph: AnimeGraph, list: UserList, selected: number | null) {
  const [options, setOptions] = useState(DEFAULTS)
  const [withTaste, setWithTaste] = useState(false)
  const [answer, setAnswer] = useState<Answer | null>(null)
  const [explanation, setExplanation] = useState<Explanation | null>(null)
  const worker = useRef<Worker>(null)
  const scroll = useRef(0)
  // A user without a list needs no worker.
  const isNeeded = graph.model !== null && list.scores.size > 0
  useEffect(() => {
    if (!isNeeded) return
    const started = new RecommendWorker()
    started.postMessage({ anime: graph.anime, vectors: graph.vectors, model: graph.model })
    started.onmessage = ({ data }: MessageEvent<Answer | Explanation>) => {
      if ('terms' in data) setExplanation(data)
      else setAnswer(data)
    }
    worker.current = started
    return () => {
      started.terminate()
      setAnswer(null)
      setExplanation(null)
    }
  }, [graph, isNeeded])
  const question = useMemo(
    (): Question => ({ number: ++questions, list, options, withTaste }),
    [list, options, withTaste],
  )
  useEffect(() => {
    if (isNeeded) worker.current!.postMessage(question)
  }, [graph, isNeeded, question])
  // After the list: the worker answers in order.
  useEffect(() => {
    if (isNeeded && selected !== null) worker.current!.postMessage({ explain: selected })
  }, [graph, isNeeded, list, selected])
  return {
    options,
    setOptions,
    withTaste,
    setWithTaste,
    answer,
    explanation: explanation?.id === selected ? explanation : null,
    stale: isNeeded && answer?.number !== question.number,
    scroll,
  }
}

export type Recommended = ReturnType<typeof useRecommendations>
