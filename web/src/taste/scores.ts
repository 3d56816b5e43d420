/** The user's list: kept in this browser alone (localStorage), with every change undoable. */
import { useCallback, useMemo, useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import type { ListFile } from '../data/listfile'

export interface UserList {
  /** MAL id -> score up to 10, or 0 for a title without a score. */
  scores: ReadonlyMap<number, number>
  /** MAL id -> watching status in the words of MyAnimeList's API, as far as it is known. */
  statuses: ReadonlyMap<number, string>
  /** Titles that are not recommended. */
  unwanted: ReadonlySet<number>
  /** Titles on the list that are left out as reasons. */
  muted: ReadonlySet<number>
}

/** A change of the list, as the user reads it. */
interface Change {
  text: string
  before: UserList
}

export const EMPTY: UserList = {
  scores: new Map(),
  statuses: new Map(),
  unwanted: new Set(),
  muted: new Set(),
}

/** Return the titles of the graph that have a score, as [MAL id, score], the highest first. */
export function scoredOn(graph: AnimeGraph, scores: UserList['scores']): [number, number][] {
  return [...scores].filter(([id, score]) => score > 0 && graph.byId.has(id)).sort((a, b) => b[1] - a[1])
}

/** Return the list with another score of one title; null takes the title off the list. */
export function rated(list: UserList, id: number, score: number | null): UserList {
  const scores = new Map(list.scores)
  const statuses = new Map(list.statuses)
  if (score !== null) scores.set(id, score)
  else {
    scores.delete(id)
    statuses.delete(id)
  }
  return { ...list, scores, statuses }
}

/** Return the list with what a file says. The file's "no score" does not overwrite a score. */
export function imported(list: UserList, file: ListFile): UserList {
  const scores = new Map(list.scores)
  for (const [id, score] of file.scores) scores.set(id, score || scores.get(id) || 0)
  return { ...list, scores, statuses: new Map([...list.statuses, ...file.statuses]) }
}

/** Return a set with a member more, or without one that it has. */
export function toggled(set: ReadonlySet<number>, id: number): Set<number> {
  const next = new Set(set)
  if (!next.delete(id)) next.add(id)
  return next
}

const KEY = 'aniembed-scores'
/** Changes that can be undone. */
const MAX_CHANGES = 50

type Stored = [id: number, score: number, status?: string]

const isStored = (entry: unknown): entry is Stored =>
  Array.isArray(entry) &&
  Number.isSafeInteger(entry[0]) &&
  Number.isFinite(entry[1]) &&
  entry[1] >= 0 &&
  entry[1] <= 10 &&
  ['undefined', 'string'].includes(typeof entry[2])

const idsOf = (value: unknown) =>
  new Set<number>(Array.isArray(value) ? value.filter((id) => Number.isSafeInteger(id)) : [])

/** Return the list in a stored text; the first versions of this page stored the entries alone. */
export function parseStored(text: string): UserList {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // Something else under this key: the user starts without a list.
    return EMPTY
  }
  if (typeof json !== 'object' || json === null) return EMPTY
  const { entries, unwanted, muted } = (Array.isArray(json) ? { entries: json } : json) as Record<
    string,
    unknown
  >
  const stored = Array.isArray(entries) ? entries.filter(isStored) : []
  const statuses = stored.filter(([, , status]) => status).map(([id, , status]) => [id, status!] as const)
  return {
    scores: new Map(stored.map(([id, score]) => [id, score])),
    statuses: new Map(statuses),
    unwanted: idsOf(unwanted),
    muted: idsOf(muted),
  }
}

export function storedText({ scores, statuses, unwanted, muted }: UserList): string {
  const entries = [...scores].map(([id, score]) =>
    statuses.has(id) ? [id, score, statuses.get(id)] : [id, score],
  )
  return JSON.stringify({ entries, unwanted: [...unwanted], muted: [...muted] })
}

/** Return the stored list; `kept` is false where the browser does not allow storage. */
function read(): { list: UserList; kept: boolean; changes: Change[] } {
  try {
    return { list: parseStored(localStorage.getItem(KEY) ?? '[]'), kept: true, changes: [] }
  } catch {
    return { list: EMPTY, kept: false, changes: [] }
  }
}

function write(list: UserList): boolean {
  try {
    localStorage.setItem(KEY, storedText(list))
    return true
  } catch {
    return false
  }
}

/**
 * `scored`: the titles of this graph with a score, the highest first. `kept`: whether the browser keeps the
 * list, so that the page can say so where it does not. `last`: the last change that can be undone. `change`:
 * put another list, or what a function makes of the present one, which may have changed meanwhile.
 */
export function useScores(graph: AnimeGraph) {
  const [{ list, kept, changes }, setState] = useState(read)
  const change = useCallback(
    (next: UserList | ((list: UserList) => UserList), text: string) =>
      setState(({ list, changes }) => {
        const changed = typeof next === 'function' ? next(list) : next
        return {
          list: changed,
          kept: write(changed),
          changes: [...changes.slice(1 - MAX_CHANGES), { text, before: list }],
        }
      }),
    [],
  )
  const undo = useCallback(
    () =>
      setState((state) => {
        const last = state.changes.at(-1)
        if (!last) return state
        return { list: last.before, kept: write(last.before), changes: state.changes.slice(0, -1) }
      }),
    [],
  )
  const { scores } = list
  const scored = useMemo(() => scoredOn(graph, scores), [graph, scores])
  return { list, scores, scored, kept, last: changes.at(-1) ?? null, change, undo }
}
