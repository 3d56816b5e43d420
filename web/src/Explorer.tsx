/** The page with a graph: keeps what the user is looking at, and lays out header, map, legend and panel. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react'
import { ClusterLegend } from './ClusterLegend'
import type { AnimeGraph } from './graph'
import { Header } from './Header'
import { ListView } from './ListView'
import { Notices, useNotices } from './Notices'
import { animeAddress, useRoute } from './route'
import { SidePanel } from './SidePanel'
import { useScores } from './scores'
import { type Group, makeGroups, makeIndex } from './search'
import type { Theme } from './theme'
import { type Coverage, useCoverage } from './useCoverage'
import { useDroppedFile } from './useDroppedFile'
import { useRecommendations } from './useRecommendations'

// sigma.js asks for WebGL as soon as it is imported; a browser without it must not import it.
const MapView = lazy(() => import('./map/MapView'))

function hasWebGL(): boolean {
  const context = document.createElement('canvas').getContext('webgl2')
  context?.getExtension('WEBGL_lose_context')?.loseContext()
  return context !== null
}

const largeScreen = matchMedia('(min-width: 900px) and (min-height: 600px)')
const smallScreen = matchMedia('(max-width: 899px)')

/**
 * The address, its title, and the trail. A shared link or the trail of another graph may have titles that
 * this one lacks.
 */
function useWalk(graph: AnimeGraph, groups: Group[]) {
  const { route, trail: ids, goTo } = useRoute()
  const selected = route.page === 'anime' ? (graph.byId.get(route.id) ?? null) : null
  const trail = useMemo(() => {
    if (!selected) return []
    const known = ids.filter((id) => graph.byId.has(id))
    return known.at(-1) === selected.id ? known : [selected.id]
  }, [graph, selected, ids])
  const group = useMemo(
    () =>
      route.page === 'group'
        ? (groups.find(({ kind, name }) => kind === route.kind && name === route.name) ?? null)
        : null,
    [groups, route],
  )
  const begin = useCallback((id: number) => goTo(animeAddress(id), [id]), [goTo])
  const walk = useCallback((id: number) => goTo(animeAddress(id), [...trail, id]), [goTo, trail])
  const close = useCallback(() => goTo('#/'), [goTo])
  const openScores = useCallback(() => goTo('#/scores'), [goTo])
  return { route, selected, group, trail, begin, walk, close, openScores, goTo }
}

/** Whether the legend is shown, which clusters are hidden, and which one the pointer is on. */
function useClusters(route: Walk['route']) {
  const [legend, setLegend] = useState(largeScreen.matches)
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set())
  const [shown, setShown] = useState<number | null>(null)
  // A small screen has room for legend or panel: a new address closes the legend.
  const [address, setAddress] = useState(route)
  if (address !== route) {
    setAddress(route)
    if (smallScreen.matches) setLegend(false)
  }
  const toggleLegend = () => {
    setLegend(!legend)
    setShown(null)
  }
  return { legend, toggleLegend, hidden, setHidden, shown, setShown }
}

function useDocumentTitle({ selected, group, route: { page } }: Walk) {
  useEffect(() => {
    const name = selected?.title ?? group?.name ?? (page === 'scores' ? 'Your scores' : null)
    document.title = name ? `${name} · AniEmbed` : 'AniEmbed'
  }, [selected, group, page])
}

function useEscape(active: boolean, onEscape: () => void) {
  useEffect(() => {
    if (!active) return
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) onEscape()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [active, onEscape])
}

interface StageProps {
  ref: React.Ref<HTMLElement>
  graph: AnimeGraph
  walk: Walk
  clusters: ReturnType<typeof useClusters>
  /** Null until it is measured. */
  coverage: Coverage | null
  dark: boolean
  isList: boolean
  onLost(): void
  /** Notes above the list. */
  children: React.ReactNode
}

/** The map, or the list. */
function Stage({ ref, graph, walk, clusters, coverage, dark, isList, onLost, children }: StageProps) {
  if (isList)
    return (
      <main ref={ref} className="stage as-list" aria-label="Titles">
        {children}
        <ListView graph={graph} hiddenClusters={clusters.hidden} onOpen={walk.begin} />
      </main>
    )
  return (
    <main ref={ref} className="stage" aria-label="Map">
      {coverage && (
        <Suspense fallback={<p className="state">Drawing the map…</p>}>
          <MapView
            graph={graph}
            selected={walk.selected}
            group={walk.group}
            trail={walk.trail}
            hiddenClusters={clusters.hidden}
            shownCluster={clusters.shown}
            {...coverage}
            dark={dark}
            onSelect={walk.walk}
            onLost={onLost}
          />
        </Suspense>
      )}
    </main>
  )
}

export function Explorer({ graph, theme }: { graph: AnimeGraph; theme: Theme }) {
  const groups = useMemo(() => makeGroups(graph.anime), [graph])
  const index = useMemo(() => makeIndex(graph.anime, groups), [graph, groups])
  const walk = useWalk(graph, groups)
  const { route, selected, close } = walk
  const scores = useScores(graph)
  const recommended = useRecommendations(graph, scores.list)
  const clusters = useClusters(route)
  const [mapWorks, setMapWorks] = useState(hasWebGL)
  const [asList, setAsList] = useState(false)
  const isList = asList || !mapWorks
  const onLost = useCallback(() => setMapWorks(false), [])
  const { dropped, dragging } = useDroppedFile(walk.openScores)
  const { stage, header, legend, panel, coverage } = useCoverage()
  const withPanel = route.page !== 'home'
  useDocumentTitle(walk)
  useEscape(withPanel, close)
  const notices = useNotices(graph, clusters.hidden, isList ? null : selected, mapWorks)
  return (
    <div className={`explorer ${withPanel ? 'with-panel' : ''} ${clusters.legend ? 'with-legend' : ''}`}>
      <Header
        ref={header}
        index={index}
        walk={walk}
        theme={theme}
        scoredCount={scores.scored.length}
        list={mapWorks ? { shown: asList, toggle: () => setAsList(!asList) } : null}
        legend={{ shown: clusters.legend, toggle: clusters.toggleLegend }}
      />
      <Stage ref={stage} {...{ graph, walk, clusters, coverage, isList, onLost }} dark={theme.dark}>
        <Notices {...notices} />
      </Stage>
      {!isList && <Notices {...notices} />}
      {clusters.legend && (
        <aside ref={legend} className="legend-box" aria-label="Clusters">
          <ClusterLegend graph={graph} {...clusters} />
        </aside>
      )}
      {withPanel && <SidePanel ref={panel} {...{ graph, walk, scores, recommended, dropped }} />}
      {dragging && (
        <div className="drop-here" aria-hidden="true">
          Drop your list here
        </div>
      )}
    </div>
  )
}

export type Walk = ReturnType<typeof useWalk>
