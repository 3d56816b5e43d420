/** The page with a graph: keeps what the user is looking at, and lays out header, map, legend and panel. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Coloring } from './data/coloring'
import type { AnimeGraph } from './data/graph'
import { named } from './data/names'
import { animeAddress, useRoute } from './data/route'
import { type Group, lazyIndex, makeGroups } from './data/search'
import { COLORINGS, type Settings } from './data/settings'
import type { MapProps } from './map/MapView'
import { type Coverage, useCoverage } from './map/useCoverage'
import { Header } from './panels/Header'
import { ListView } from './panels/ListView'
import { LARGE, SMALL } from './panels/media'
import { Notices, useIntro, useNotices } from './panels/Notices'
import { SharePanel } from './panels/SharePanel'
import { SidePanel } from './panels/SidePanel'
import type { Theme } from './panels/theme'
import { useDroppedFile } from './panels/useDroppedFile'
import { ViewPanel } from './panels/ViewPanel'
import { useScores } from './taste/scores'
import { useListFiles } from './taste/useListFiles'
import { type OwnList, useOwnList } from './taste/useOwnList'
import { useRecommendations } from './taste/useRecommendations'
import { useSharedList } from './taste/useSharedList'

// sigma.js asks for WebGL as soon as it is imported; a browser without it must not import it.
const MapView = lazy<React.ComponentType<MapProps>>(() =>
  import('./map/MapView').catch(() => ({ default: MissingMap })),
)

const NO_WEBGL = 'This browser does not offer WebGL, so the titles are shown as a list instead of a map.'
const NO_MAP = 'The map could not be loaded, so the titles are shown as a list. Reload the page for the map.'

/** Stands for the map where its part of the page does not arrive. */
function MissingMap({ onLost }: MapProps) {
  useEffect(() => onLost(NO_MAP), [onLost])
  return null
}

function hasWebGL(): boolean {
  const context = document.createElement('canvas').getContext('webgl2')
  context?.getExtension('WEBGL_lose_context')?.loseContext()
  return context !== null
}

/**
 * The address, its title, and the trail. A shared link or the trail of another graph may have titles that
 * this one lacks.
 */
function useWalk(graph: AnimeGraph, groups: Group[]) {
  const { route, trail: ids, goTo, settings, set } = useRoute()
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
  return { route, selected, group, trail, begin, walk, close, openScores, goTo, settings, set }
}

/** Whether the panel with the view is open, and which cluster the pointer is on there. */
function useViewPanel(route: Walk['route']) {
  const [open, setOpen] = useState(LARGE.matches)
  const [shown, setShown] = useState<number | null>(null)
  // A small screen has room for one panel: a new address closes this one.
  const [address, setAddress] = useState(route)
  if (address !== route) {
    setAddress(route)
    if (SMALL.matches) setOpen(false)
  }
  const toggle = () => {
    setOpen(!open)
    setShown(null)
  }
  return { open, toggle, shown, setShown }
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
  /** The graph with its titles in romaji; it stays the same while the language changes. */
  places: AnimeGraph
  walk: Walk
  shownCluster: number | null
  picture: MapProps['picture']
  caption: string
  ownList: OwnList
  coloring: Coloring
  /** Null until it is measured. */
  coverage: Coverage | null
  dark: boolean
  isList: boolean
  onLost: MapProps['onLost']
  /** Notes above the list. */
  children: React.ReactNode
}

/** The map, or the list. */
function Stage({ ref, graph, walk, coverage, isList, children, ...rest }: StageProps) {
  if (isList)
    return (
      <main ref={ref} className="stage as-list" aria-label="Titles">
        {children}
        <ListView graph={graph} hiddenClusters={walk.settings.off} onOpen={walk.begin} />
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
            hiddenClusters={walk.settings.off}
            {...coverage}
            {...rest}
            onSelect={walk.walk}
          />
        </Suspense>
      )}
    </main>
  )
}

/** Return the line below a picture of the map. */
function captionOf({ anime, lists }: AnimeGraph, { color }: Settings, { scale }: Coloring): string {
  const colors = scale ? ` Colour: ${COLORINGS[color].toLowerCase()}, ${scale.least} to ${scale.most}.` : ''
  const titles = `${anime.length.toLocaleString('en')} titles from ${lists.toLocaleString('en')} lists`
  return `AniEmbed: ${titles}. Near: liked by the same people.${colors}`
}

/** Whether the page shows a map or a list, and why. */
function useStage() {
  const [fault, onLost] = useState(() => (hasWebGL() ? null : NO_WEBGL))
  const [asList, setAsList] = useState(false)
  const list = fault ? null : { shown: asList, toggle: () => setAsList(!asList) }
  return { isList: asList || fault !== null, fault, list, onLost }
}

/** `graph`: with its titles in romaji. */
export function Explorer({ graph: romaji, theme }: { graph: AnimeGraph; theme: Theme }) {
  const { names } = useRoute().settings
  const graph = useMemo(() => named(romaji, names), [romaji, names])
  const groups = useMemo(() => makeGroups(graph.anime), [graph])
  const index = useMemo(() => lazyIndex(graph.anime, groups), [graph, groups])
  const walk = useWalk(graph, groups)
  const { route, selected, close, settings, set } = walk
  const own = useScores(romaji)
  const { scores, shared, lists, friendFile } = useSharedList(romaji, own)
  const recommended = useRecommendations(romaji, lists, selected?.id ?? null)
  const drawing = useOwnList(romaji, scores.list, recommended, settings)
  const picture = useRef<(() => Promise<Blob>) | null>(null)
  const view = useViewPanel(route)
  const { isList, fault, list, onLost } = useStage()
  const files = useListFiles(romaji, own.change)
  const dragging = useDroppedFile((file) => {
    // A dropped list is the user's own, and what became of it stands at the top of the panel.
    shared?.leave()
    recommended.scroll.current = 0
    walk.openScores()
    void files.read(file)
  })
  const { stage, header, legend, panel, coverage } = useCoverage()
  const withPanel = route.page !== 'home'
  useDocumentTitle(walk)
  useEscape(withPanel, close)
  const intro = useIntro(withPanel)
  const notes = useNotices(graph, settings.off, isList ? null : selected, fault)
  const notices = <Notices {...notes} {...{ shared, intro }} />
  return (
    <div className={`explorer ${withPanel ? 'with-panel' : ''} ${view.open ? 'with-legend' : ''}`}>
      <Header
        ref={header}
        {...{ index, walk, theme, list }}
        scoredCount={scores.scored.length}
        isShared={shared !== null && !shared.together}
        legend={{ shown: view.open, toggle: view.toggle }}
      />
      <Stage
        ref={stage}
        {...{ graph, places: romaji, walk, coverage, isList, picture, onLost }}
        {...drawing}
        caption={captionOf(romaji, settings, drawing.coloring)}
        shownCluster={view.shown}
        dark={theme.dark}
      >
        {notices}
      </Stage>
      {!isList && notices}
      {view.open && (
        <aside ref={legend} className="legend-box" aria-label="View">
          <ViewPanel
            {...{ graph, settings, set }}
            {...view}
            coloring={drawing.coloring}
            hasList={scores.scores.size > 0}
          >
            <SharePanel
              {...{ settings }}
              scores={scores.scores}
              picture={isList ? null : () => picture.current?.() ?? null}
            />
          </ViewPanel>
        </aside>
      )}
      {withPanel && (
        <SidePanel ref={panel} {...{ graph, walk, scores, recommended, shared, files, friendFile }} />
      )}
      {dragging && (
        <div className="drop-here" aria-hidden="true">
          Drop your list here
        </div>
      )}
    </div>
  )
}

export type Walk = ReturnType<typeof useWalk>
