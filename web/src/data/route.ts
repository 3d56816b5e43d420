/** The address (`#/anime/1535`, `#/studio/Bones`, `#/genre/Drama`, `#/scores`, `#/`) and the trail, which is kept in the browser's history. */
import { useSyncExternalStore } from 'react'
import type { Group } from './search'
import { formatSettings, formatShared, parseSettings, parseShared, type Settings } from './settings'

type Route =
  | { page: 'home' }
  | { page: 'scores' }
  | { page: 'anime'; id: number }
  | { page: 'group'; kind: Group['kind']; name: string }
  | { page: 'unknown'; address: string }

const MAX_TRAIL = 50

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Return path and query of an address; `#r=...` is short for `#/?r=...`. */
function split(hash: string): [path: string, query: string] {
  const text = hash.replace(/^#\/?/, '')
  if (text.startsWith('r=')) return ['', text]
  const at = text.indexOf('?')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function parseRoute(hash: string): Route {
  const [path] = split(hash)
  if (path === '') return { page: 'home' }
  if (path === 'scores') return { page: 'scores' }
  const group = /^(studio|genre)\/(.+)$/.exec(path)
  if (group) return { page: 'group', kind: group[1] as Group['kind'], name: decoded(group[2]) }
  const match = /^anime\/(\d{1,9})$/.exec(path)
  return match ? { page: 'anime', id: Number(match[1]) } : { page: 'unknown', address: hash.slice(0, 60) }
}

export const animeAddress = (id: number) => `#/anime/${id}`

export const groupAddress = ({ kind, name }: Pick<Group, 'kind' | 'name'>) =>
  `#/${kind}/${encodeURIComponent(name)}`

function trailOfState(): number[] {
  const trail: unknown = history.state?.trail
  return Array.isArray(trail) && trail.every(Number.isSafeInteger) ? trail : []
}

const sharedIn = (query: string) => {
  const text = new URLSearchParams(query).get('r')
  return text === null ? null : parseShared(text)
}

function read() {
  const [, query] = split(location.hash)
  return {
    route: parseRoute(location.hash),
    trail: trailOfState(),
    settings: parseSettings(query),
    /** The scores that the link carries, until the user decides about them. */
    shared: sharedIn(query),
  }
}

let snapshot = read()
const listeners = new Set<() => void>()

function change(next: Partial<typeof snapshot>) {
  snapshot = { ...snapshot, ...next }
  listeners.forEach((listener) => listener())
}

/** Write the settings into the present address. */
function writeSettings() {
  const [path] = split(location.hash)
  const query = formatSettings(snapshot.settings)
  if (location.hash || query) history.replaceState(history.state, '', `#/${path}${query}`)
}

function onAddress() {
  const { route, trail, settings, shared } = read()
  const [, query] = split(location.hash)
  // The settings of the page stay when the user goes back, or follows a link of the page; a pasted link has its own.
  if (history.state === null && query) change({ route, trail, settings, shared })
  else {
    change({ route, trail })
    if (!snapshot.shared) writeSettings()
  }
}

addEventListener('popstate', onAddress)

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Go to an address of the page, without its query. `trail`: the titles on the way there. */
function goTo(address: string, trail: number[] = []) {
  if (split(address)[0] === split(location.hash)[0]) return
  history.pushState({ trail: trail.slice(-MAX_TRAIL) }, '', address + formatSettings(snapshot.settings))
  change({ route: parseRoute(location.hash), trail: trailOfState() })
}

function set(settings: Partial<Settings>) {
  change({ settings: { ...snapshot.settings, ...settings } })
  writeSettings()
}

/** Forget the scores that the link carries. */
function forgetShared() {
  change({ shared: null })
  writeSettings()
}

/** `trail`: the ids of the titles on the way here; the present one is the last. */
export function useRoute() {
  return { ...useSyncExternalStore(subscribe, () => snapshot), goTo, set, forgetShared }
}

/** Return the address of what the page shows; with `scores`, it carries those, too. */
export function linkTo(settings: Settings, scores: Iterable<readonly [number, number]> | null): string {
  const [path] = split(location.hash)
  const query = formatSettings(settings)
  const parts = [query.slice(1), scores ? formatShared(scores) : ''].filter(Boolean).join('&')
  const hash = path || query ? `/${path}${parts ? '?' : ''}${parts}` : parts
  return `${location.href.split('#')[0]}#${hash}`
}
