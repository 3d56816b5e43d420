/** What the map shows of the user's list. */
import { useMemo } from 'react'
import { type Coloring, makeColoring } from '../data/coloring'
import type { AnimeGraph } from '../data/graph'
import type { Settings } from '../data/settings'
import { plannedTitles, usualScore } from './opinions'
import type { UserList } from './scores'
import type { Recommended } from './useRecommendations'

/** What is drawn at a disc. */
export interface OwnMark {
  /** 0 without a score. */
  score: number
  planned: boolean
  recommended: boolean
}

export interface OwnList {
  marks: ReadonlyMap<number, OwnMark>
  /** The list, what is recommended, and what lies near what the user loves; empty where that is unknown. */
  lit: ReadonlySet<number>
}

const NONE: OwnList = { marks: new Map(), lit: new Set() }
/** Points above the user's usual score from where a title is loved. */
const LOVED_ABOVE = 0.5

/** Recommendations that are marked on the map. */
const MAX_RECOMMENDED = 12

/** Return the ids of the titles on the map that the user loves. */
function lovedTitles(graph: AnimeGraph, { scores }: UserList): number[] {
  const least = usualScore(scores, graph.model.constants) + LOVED_ABOVE
  return [...scores].filter(([id, score]) => score >= least && graph.byId.has(id)).map(([id]) => id)
}

function makeOwnList(graph: AnimeGraph, list: UserList, recommended: number[]): OwnList {
  const marks = new Map<number, OwnMark>()
  const planned = plannedTitles(list)
  for (const [id, score] of list.scores)
    if (graph.byId.has(id)) marks.set(id, { score, planned: planned.has(id), recommended: false })
  for (const id of recommended) marks.set(id, { score: 0, planned: planned.has(id), recommended: true })
  const near = lovedTitles(graph, list).flatMap((id) => graph.neighbours.get(id)!.map((other) => other.id))
  return { marks, lit: near.length > 0 ? new Set([...marks.keys(), ...near]) : new Set() }
}

/** Return what of the list is on the map, and the colours of the discs. */
export function useOwnList(
  graph: AnimeGraph,
  list: UserList,
  { answer }: Recommended,
  { mine, color }: Settings,
): { ownList: OwnList; coloring: Coloring } {
  const rows = answer?.table?.rows
  const predicted = color === 'score' ? answer?.predicted : null
  const ownList = useMemo(() => {
    if (!mine || list.scores.size === 0) return NONE
    return makeOwnList(graph, list, rows?.slice(0, MAX_RECOMMENDED).map(({ id }) => id) ?? [])
  }, [graph, list, rows, mine])
  const coloring = useMemo(() => {
    return makeColoring(graph, color, ({ id }) => list.scores.get(id) || (predicted?.get(id) ?? null))
  }, [graph, list, color, predicted])
  return { ownList, coloring }
}
