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
  niche: 0,
  sequels: false,
  filters: {},
}

/** Questions that have been asked. */
let questions = 0

/**
 * `lists`: that of the user, and of who watches together with the user. `selected`: the MAL id of the open title, or null. `answer`: null before the first one. `explanation`: what
 * the list says of the open title, or null. `stale`: the answer to the present list and options is due.
 * `scroll`: how far down the panel was when it was last shown.
 */
export function useRecommendations(graph: AnimeGraph, lists: UserList[], selected: number | null) {
  const [options, setOptions] = useState(DEFAULTS)
  const [withTaste, setWithTaste] = useState(false)
  const [answer, setAnswer] = useState<Answer | null>(null)
  const [explanation, setExplanation] = useState<Explanation | null>(null)
  const worker = useRef<Worker>(null)
  const scroll = useRef(0)
  // A user without a list needs no worker.
  const isNeeded = lists[0].scores.size > 0
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
    (): Question => ({ number: ++questions, lists, options, withTaste }),
    [lists, options, withTaste],
  )
  useEffect(() => {
    if (isNeeded) worker.current!.postMessage(question)
  }, [graph, isNeeded, question])
  // After the list: the worker answers in order.
  useEffect(() => {
    if (isNeeded && selected !== null) worker.current!.postMessage({ explain: selected })
  }, [graph, isNeeded, lists, selected])
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
