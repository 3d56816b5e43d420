/** The page: loads the graph, keeps what the user is looking at, lays out map, panel and legend. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react'
import { ClusterLegend } from './ClusterLegend'
import { FileError } from './file'
import type { AnimeGraph } from './graph'
import { ListView } from './ListView'
import { loadGraph, readGraphFile } from './load'
import { PanelHead } from './parts'
import { animeAddress, useRoute } from './route'
import { ScoresPanel } from './ScoresPanel'
import { SearchBox } from './SearchBox'
import { scoredOn, useScores } from './scores'
import { makeIndex } from './search'
import { TitlePanel } from './TitlePanel'

// sigma.js asks for WebGL as soon as it is imported, so a browser without it must never get that far.
const MapView = lazy(() => import('./MapView'))

function hasWebGL(): boolean {
  const context = document.createElement('canvas').getContext('webgl2')
  context?.getExtension('WEBGL_lose_context')?.loseContext()
  return context !== null
}

/** Narrows the page's content security policy to the one host that this graph's covers come from. */
function allowPicturesOnlyFrom(origin: string | null) {
  const meta = document.createElement('meta')
  meta.httpEquiv = 'Content-Security-Policy'
  meta.content = `img-src 'self' data: blob: ${origin ?? ''}`
  document.head.append(meta)
}

const smallScreen = matchMedia('(max-width: 899px)')

type Theme = 'auto' | 'light' | 'dark'
const THEMES: Record<Theme, { next: Theme; name: string; sign: string }> = {
  auto: { next: 'light', name: 'as the system', sign: '◐' },
  light: { next: 'dark', name: 'light', sign: '☀' },
  dark: { next: 'auto', name: 'dark', sign: '☾' },
}

function useTheme() {
  const [theme, setTheme] = useState<Theme>('auto')
  const systemDark = useMemo(() => matchMedia('(prefers-color-scheme: dark)'), [])
  const [systemIsDark, setSystemIsDark] = useState(systemDark.matches)
  useEffect(() => {
    const onChange = () => setSystemIsDark(systemDark.matches)
    systemDark.addEventListener('change', onChange)
    return () => systemDark.removeEventListener('change', onChange)
  }, [systemDark])
  const dark = theme === 'dark' || (theme === 'auto' && systemIsDark)
  // Set while rendering, so that what reads the colours in its effects finds the new ones.
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  return { theme, dark, nextTheme: () => setTheme(THEMES[theme].next) }
}

export function App() {
  const theme = useTheme()
  const [graph, setGraph] = useState<AnimeGraph | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [bytes, setBytes] = useState(0)

  const open = useCallback(async (loading: Promise<AnimeGraph>) => {
    try {
      const loaded = await loading
      allowPicturesOnlyFrom(loaded.pictureOrigin)
      setGraph(loaded)
    } catch (problem) {
      if (!(problem instanceof FileError)) throw problem
      setError(problem.message)
    }
  }, [])
  useEffect(() => {
    void open(loadGraph(setBytes))
  }, [open])

  if (graph) return <Explorer graph={graph} {...theme} />
  if (error !== null) {
    return (
      <main className="state" role="alert">
        <h1>AniEmbed</h1>
        <p>{error}</p>
        <label className="file-button">
          Open a graph.json from this computer
          <input
            className="visually-hidden"
            type="file"
            accept=".json,application/json"
            onChange={(event) => {
              const file = event.target.files?.[0]
              // Else the same file, mended, could not be chosen again.
              event.target.value = ''
              if (file) void open(readGraphFile(file))
            }}
          />
        </label>
      </main>
    )
  }
  return (
    <main className="state" aria-busy="true">
      <h1>AniEmbed</h1>
      <p role="status">Loading the map…</p>
      <p>{bytes > 0 ? `${(bytes / 1e6).toFixed(1)} MB` : '\u00a0'}</p>
    </main>
  )
}

const NO_COVERS = 'Covers can not be loaded just now; coloured cards stand in for them.'

function Explorer({ graph, theme, dark, nextTheme }: { graph: AnimeGraph } & ReturnType<typeof useTheme>) {
  const { route, trail, goTo } = useRoute()
  const { scores, change, kept } = useScores()
  const [mapWorks, setMapWorks] = useState(hasWebGL)
  const [asList, setAsList] = useState(false)
  const [legend, setLegend] = useState(() => matchMedia('(min-width: 900px) and (min-height: 600px)').matches)
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set())
  const [shownCluster, setShownCluster] = useState<number | null>(null)
  const [notices, setNotices] = useState(graph.notices)
  const [dropped, setDropped] = useState<File | null>(null)
  const [dragging, setDragging] = useState(false)
  const index = useMemo(() => makeIndex(graph.anime), [graph])

  const selected = route.page === 'anime' ? (graph.byId.get(route.id) ?? null) : null
  // A link that is shared, or a state from another graph, may hold a trail that does not fit this page.
  const way = useMemo(() => {
    const known = trail.filter((id) => graph.byId.has(id))
    return selected && known.at(-1) === selected.id ? known : selected ? [selected.id] : []
  }, [trail, selected, graph])
  const list = asList || !mapWorks
  const scored = useMemo(() => scoredOn(graph, scores), [graph, scores])
  const nearOff = selected
    ? graph.neighbours.get(selected.id)!.filter(({ id }) => hidden.has(graph.byId.get(id)!.cluster.id)).length
    : 0

  // Where there is room for one of the two, the one asked for last is seen.
  useEffect(() => {
    if (smallScreen.matches) setLegend(false)
  }, [route])

  const begin = useCallback((id: number) => goTo(animeAddress(id), [id]), [goTo])
  const walk = useCallback((id: number) => goTo(animeAddress(id), [...way, id]), [goTo, way])
  const close = useCallback(() => goTo('#/'), [goTo])
  const onLost = useCallback(() => setMapWorks(false), [])

  useEffect(() => {
    document.title = selected
      ? `${selected.title} · AniEmbed`
      : route.page === 'scores'
        ? 'Your scores · AniEmbed'
        : 'AniEmbed'
  }, [selected, route])

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && route.page !== 'home') close()
    }
    const onDrag = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setDragging(true)
    }
    const onLeave = (event: DragEvent) => {
      if (!event.relatedTarget) setDragging(false)
    }
    const onDrop = (event: DragEvent) => {
      setDragging(false)
      const file = event.dataTransfer?.files[0]
      if (!file) return
      event.preventDefault()
      setDropped(file)
      goTo('#/scores')
    }
    addEventListener('keydown', onKey)
    addEventListener('dragover', onDrag)
    addEventListener('dragleave', onLeave)
    addEventListener('drop', onDrop)
    return () => {
      removeEventListener('keydown', onKey)
      removeEventListener('dragover', onDrag)
      removeEventListener('dragleave', onLeave)
      removeEventListener('drop', onDrop)
    }
  }, [route, close, goTo])

  const onScore = (score: number | null) => {
    const next = new Map(scores)
    if (score === null) next.delete(selected!.id)
    else next.set(selected!.id, score)
    change(next)
  }

  useEffect(() => {
    const onError = (event: Event) => {
      if (!(event.target as HTMLElement).matches?.('img.cover')) return
      setNotices((known) => (known.includes(NO_COVERS) ? known : [...known, NO_COVERS]))
      document.removeEventListener('error', onError, true)
    }
    document.addEventListener('error', onError, true)
    return () => document.removeEventListener('error', onError, true)
  }, [])

  const noticeBox = (
    <div className="notices" role="status">
      {graph.clusters.every(({ id }) => hidden.has(id)) && <p>All clusters are switched off.</p>}
      {!list && nearOff > 0 && (
        <p>
          {nearOff} of the nearest {nearOff === 1 ? 'is' : 'are'} not on the map:{' '}
          {nearOff === 1 ? 'its cluster is' : 'their clusters are'} switched off.
        </p>
      )}
      {!mapWorks && <p>This browser shows no WebGL, so the titles stand as a list instead of a map.</p>}
      {notices.map((notice) => (
        <p key={notice}>
          {notice}
          <button type="button" onClick={() => dismiss(notice)} aria-label="Dismiss this note">
            ×
          </button>
        </p>
      ))}
    </div>
  )
  const dismiss = (notice: string) => setNotices(notices.filter((other) => other !== notice))
  return (
    <div className={`explorer ${route.page === 'home' ? '' : 'with-panel'} ${legend ? 'with-legend' : ''}`}>
      <header>
        <h1>
          <a
            href="#/"
            onClick={(event) => {
              event.preventDefault()
              close()
            }}
          >
            AniEmbed
          </a>
        </h1>
        <SearchBox index={index} onOpen={begin} />
        <div className="tools">
          {mapWorks && (
            <button type="button" aria-pressed={asList} onClick={() => setAsList(!asList)}>
              List
            </button>
          )}
          <button
            type="button"
            aria-expanded={legend}
            onClick={() => {
              setLegend(!legend)
              setShownCluster(null)
            }}
          >
            Clusters
          </button>
          <button
            type="button"
            aria-pressed={route.page === 'scores'}
            onClick={() => (route.page === 'scores' ? close() : goTo('#/scores'))}
          >
            Your scores
            {scored.length > 0 && <span className="badge">{scored.length.toLocaleString('en')}</span>}
          </button>
          <button
            type="button"
            onClick={nextTheme}
            aria-label={`Colours: ${THEMES[theme].name}`}
            title={`Colours: ${THEMES[theme].name}`}
          >
            {THEMES[theme].sign}
          </button>
        </div>
      </header>

      <main className={list ? 'stage as-list' : 'stage'} aria-label={list ? 'Titles' : 'Map'}>
        {list ? (
          <>
            {noticeBox}
            <ListView graph={graph} hidden={hidden} onOpen={begin} />
          </>
        ) : (
          <Suspense
            fallback={
              <p className="state" role="status">
                Drawing the map…
              </p>
            }
          >
            <MapView
              graph={graph}
              selected={selected}
              trail={way}
              hidden={hidden}
              shownCluster={shownCluster}
              covering={`${route.page !== 'home'} ${legend}`}
              dark={dark}
              onSelect={walk}
              onLost={onLost}
            />
          </Suspense>
        )}
      </main>

      {!list && noticeBox}

      {legend && (
        <aside className="legend-box" aria-label="Clusters">
          <ClusterLegend graph={graph} hidden={hidden} onHidden={setHidden} onShow={setShownCluster} />
        </aside>
      )}

      {route.page !== 'home' && (
        <section
          className="panel"
          aria-label={selected ? 'Title' : route.page === 'scores' ? 'Your scores' : 'Not found'}
        >
          {selected && (
            <TitlePanel
              graph={graph}
              anime={selected}
              trail={way}
              score={scores.get(selected.id)}
              onScore={onScore}
              onWalk={walk}
              onClose={close}
              onReturn={(position) => goTo(animeAddress(way[position]), way.slice(0, position + 1))}
            />
          )}
          {route.page === 'scores' && (
            <ScoresPanel
              graph={graph}
              scores={scores}
              scored={scored}
              kept={kept}
              onScores={change}
              onOpen={begin}
              onClose={close}
              dropped={dropped}
            />
          )}
          {!selected && route.page !== 'scores' && (
            <>
              <PanelHead title="Not found" onClose={close} />
              <p role="alert" className="message bad">
                {route.page === 'anime'
                  ? `This map holds no title with the id ${route.id}.`
                  : `This page knows no address ${route.address}.`}{' '}
                Search for a title instead.
              </p>
            </>
          )}
        </section>
      )}
      {dragging && (
        <div className="drop-here" aria-hidden="true">
          Drop your list here
        </div>
      )}
    </div>
  )
}
