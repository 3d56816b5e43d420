/** The user's list: stored in this browser alone, shared by all tabs; each tab can undo its own changes. */
import { useMemo, useSyncExternalStore } from 'react'
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

/** A change of the list in this tab; `text` is a sentence for the user. */
interface Change {
  text: string
  before: UserList
  after: UserList
}

/** Change the list: `next` gets the list as it is stored now, which another tab may have changed. */
export type ChangeList = (next: (list: UserList) => UserList, text: string) => void

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

/** Return the list with a title among those left out, or without it where it was among them. */
export function toggled(list: UserList, kind: 'unwanted' | 'muted', id: number): UserList {
  const ids = new Set(list[kind])
  if (!ids.delete(id)) ids.add(id)
  return { ...list, [kind]: ids }
}

type Entries<Value> = ReadonlyMap<number, Value>
const asMap = (ids: ReadonlySet<number>): Entries<number> => new Map(ids.entries())

/** Return `now` with the entries of `before` where it still has those of `after`. */
function revert<Value>(now: Entries<Value>, before: Entries<Value>, after: Entries<Value>) {
  const reverted = new Map(now)
  for (const id of [...before.keys(), ...after.keys()]) {
    if (before.get(id) === after.get(id) || now.get(id) !== after.get(id)) continue
    if (before.has(id)) reverted.set(id, before.get(id)!)
    else reverted.delete(id)
  }
  return reverted
}

/** Return the list without a change; what another tab has changed since stays. */
export function undone(list: UserList, { before, after }: Omit<Change, 'text'>): UserList {
  const ids = (name: 'unwanted' | 'muted') =>
    new Set(revert(asMap(list[name]), asMap(before[name]), asMap(after[name])).keys())
  return {
    scores: revert(list.scores, before.scores, after.scores),
    statuses: revert(list.statuses, before.statuses, after.statuses),
    unwanted: ids('unwanted'),
    muted: ids('muted'),
  }
}

const KEY = 'aniembed-scores'
/** Changes that can be undone. */
const MAX_CHANGES = 50

/** Return the list in a stored text; an empty one where another program has stored something else. */
export function parseStored(text: string): UserList {
  try {
    const { entries, unwanted, muted } = JSON.parse(text) as {
      entries: [id: number, score: number, status?: string][]
      unwanted: number[]
      muted: number[]
    }
    const withStatus = entries.filter(([, , status]) => status)
    return {
      scores: new Map(entries.map(([id, score]) => [id, score])),
      statuses: new Map(withStatus.map(([id, , status]) => [id, status!])),
      unwanted: new Set(unwanted),
      muted: new Set(muted),
    }
  } catch {
    return EMPTY
  }
}

export function storedText({ scores, statuses, unwanted, muted }: UserList): string {
  const entries = [...scores].map(([id, score]) =>
    statuses.has(id) ? [id, score, statuses.get(id)] : [id, score],
  )
  return JSON.stringify({ entries, unwanted: [...unwanted], muted: [...muted] })
}

interface State {
  list: UserList
  /** False where the browser does not allow storage; the list is then lost with the tab. */
  isStored: boolean
  /** Those of this tab, the last one at the end. */
  changes: Change[]
}

/** Return the stored list; `list` itself where the browser does not allow storage. */
function stored(list: UserList): Omit<State, 'changes'> {
  try {
    const text = localStorage.getItem(KEY)
    return { list: text === null ? EMPTY : parseStored(text), isStored: true }
  } catch {
    return { list, isStored: false }
  }
}

function store(list: UserList): boolean {
  try {
    localStorage.setItem(KEY, storedText(list))
    return true
  } catch {
    return false
  }
}

let state: State | null = null
const listeners = new Set<() => void>()

function getState(): State {
  state ??= { ...stored(EMPTY), changes: [] }
  return state
}

function setState(next: State) {
  state = next
  listeners.forEach((listener) => listener())
}

/** Take over what another tab has stored. */
function follow({ key }: StorageEvent) {
  // Without a key, everything was removed.
  if (key === KEY || key === null) setState({ ...getState(), ...stored(getState().list) })
}

function subscribe(listener: () => void) {
  if (listeners.size === 0) addEventListener('storage', follow)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) removeEventListener('storage', follow)
  }
}

/** The list as it is stored, or, where nothing could be stored, as this tab has it. */
const present = () => (getState().isStored ? stored(getState().list).list : getState().list)

const change: ChangeList = (next, text) => {
  const before = present()
  const after = next(before)
  const changes = [...getState().changes.slice(1 - MAX_CHANGES), { text, before, after }]
  setState({ list: after, isStored: store(after), changes })
}

/** Undo the last change of this tab. */
function undo() {
  const { changes } = getState()
  if (changes.length === 0) return
  const list = undone(present(), changes.at(-1)!)
  setState({ list, isStored: store(list), changes: changes.slice(0, -1) })
}

/**
 * `scored`: the titles of this graph with a score, the highest first. `last`: the last change that can be
 * undone, or null.
 */
export function useScores(graph: AnimeGraph) {
  const { list, isStored, changes } = useSyncExternalStore(subscribe, getState)
  const { scores } = list
  const scored = useMemo(() => scoredOn(graph, scores), [graph, scores])
  return { list, scores, scored, isStored, last: changes.at(-1) ?? null, change, undo }
}
