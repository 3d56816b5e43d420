/** The address (`#/anime/1535`, `#/studio/Bones`, `#/genre/Drama`, `#/scores`, `#/`) and the trail, which is kept in the browser's history. */
import { useCallback, useSyncExternalStore } from 'react'
import type { Group } from './search'

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

function parseRoute(hash: string): Route {
  const path = hash.replace(/^#\/?/, '')
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

let snapshot = { route: parseRoute(location.hash), trail: trailOfState() }
const listeners = new Set<() => void>()

function readAddress() {
  snapshot = { route: parseRoute(location.hash), trail: trailOfState() }
  listeners.forEach((listener) => listener())
}

addEventListener('popstate', readAddress)

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** `trail`: the ids of the titles on the way here; the present one is the last. */
export function useRoute() {
  const { route, trail } = useSyncExternalStore(subscribe, () => snapshot)
  const goTo = useCallback((address: string, trail: number[] = []) => {
    if (address === location.hash) return
    history.pushState({ trail: trail.slice(-MAX_TRAIL) }, '', address)
    readAddress()
  }, [])
  return { route, trail, goTo }
}
