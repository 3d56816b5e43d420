/** What the map shows, and how: colours, names, the user's list, the clusters; links and a picture of it. */
import type { Coloring } from '../data/coloring'
import type { ThemeColor } from '../data/colors'
import type { AnimeGraph } from '../data/graph'
import { COLORINGS, type ColorBy, type Language, type Settings } from '../data/settings'
import { colorVariables, Dot } from './parts'

interface Props {
  graph: AnimeGraph
  settings: Settings
  set(settings: Partial<Settings>): void
  coloring: Coloring
  /** Whether the user has a list. */
  hasList: boolean
  /** The pointer is on a cluster, or on none. */
  setShown(cluster: number | null): void
  children?: React.ReactNode
}

export function ViewPanel(props: Props) {
  const { graph, settings, set, coloring, hasList, children } = props
  const inEnglish = graph.anime.some(({ english }) => english !== null)
  // The address says only what differs from the drawn map.
  const setLanguage = (names: Language) => set({ names: names === graph.language ? null : names })
  return (
    <div className="legend">
      <div className="view-choices">
        <label>
          Colour
          <select value={settings.color} onChange={({ target }) => set({ color: target.value as ColorBy })}>
            {Object.entries(COLORINGS).map(([color, name]) => (
              <option key={color} value={color} disabled={color === 'score' && !hasList}>
                {color === 'score'
                  ? hasList
                    ? 'Your score, given or likely'
                    : 'Your score (no list yet)'
                  : name}
              </option>
            ))}
          </select>
        </label>
        {inEnglish && (
          <label>
            Titles
            <select
              value={settings.names ?? graph.language}
              onChange={({ target }) => setLanguage(target.value as Language)}
            >
              <option value="romaji">Romaji</option>
              <option value="english">English</option>
            </select>
          </label>
        )}
      </div>
      {coloring.scale && <Scale {...coloring.scale} />}
      <Signs anime={graph.anime} />
      {hasList && <OwnList mine={settings.mine} onMine={(mine) => set({ mine })} />}
      <Clusters {...props} />
      {children}
      <p className="legend-note">
        Near titles are liked by the same people. {graph.anime.length.toLocaleString('en')} titles from{' '}
        {graph.lists.toLocaleString('en')} lists.
      </p>
    </div>
  )
}

function Scale({ colors, least, most, hasUnknown }: NonNullable<Coloring['scale']>) {
  const ramp = (theme: keyof ThemeColor) =>
    `linear-gradient(to right, ${colors.map((color) => color[theme]).join(', ')})`
  return (
    <div className="scale">
      <span>{least}</span>
      <span className="ramp" style={colorVariables({ light: ramp('light'), dark: ramp('dark') })} />
      <span>{most}</span>
      {hasUnknown && <span>grey: unknown</span>}
    </div>
  )
}

/** What hollow discs and dots mean, where the map has any. */
function Signs({ anime }: Pick<AnimeGraph, 'anime'>) {
  const hasUnscored = anime.some(({ unscored }) => unscored)
  const newTitles = anime.filter((title) => title.new).length
  return (
    <div className="own-list">
      <p>
        {hasUnscored && (
          <span>
            <i className="sign unscored" /> not scored yet
          </span>
        )}
        {newTitles > 0 && (
          <span>
            <i className="sign new" /> new since the last map: {newTitles.toLocaleString('en')}
          </span>
        )}
      </p>
    </div>
  )
}

function OwnList({ mine, onMine }: { mine: boolean; onMine(mine: boolean): void }) {
  return (
    <div className="own-list">
      <label>
        <input type="checkbox" checked={mine} onChange={() => onMine(!mine)} />
        Your list on the map
      </label>
      {mine && (
        <p>
          <span>
            <i className="sign scored" /> scored: red low, green high
          </span>
          <span>
            <i className="sign planned" /> planned
          </span>
          <span>
            <i className="sign recommended" /> recommended
          </span>
          <span>pale: unlike what you love</span>
        </p>
      )}
    </div>
  )
}

/** Clusters that the panel has room for without scrolling. */
const FEW = 8
/** Letters of names that a phone has room for in two columns. */
const MAX_SHORT = 24

function Clusters({ graph, settings: { off }, set, coloring, setShown }: Props) {
  const toggle = (id: number) => {
    const next = new Set(off)
    if (!next.delete(id)) next.add(id)
    set({ off: next })
    setShown(null)
  }
  const areShort = graph.clusters.every(({ name }) => name.length <= MAX_SHORT)
  const setAll = (ids: number[]) => set({ off: new Set(ids) })
  return (
    <>
      <ul
        className={`clusters ${areShort ? 'short' : ''} ${graph.clusters.length > FEW ? 'many' : ''}`}
        onMouseLeave={() => setShown(null)}
      >
        {graph.clusters.map(({ id, name, size, color }) => (
          <li key={id} onMouseEnter={() => setShown(off.has(id) ? null : id)}>
            <label>
              <input type="checkbox" checked={!off.has(id)} onChange={() => toggle(id)} />
              {!coloring.scale && <Dot color={color} />}
              <span className="legend-name" title={name}>
                {name}
              </span>
              <span className="legend-count">{size.toLocaleString('en')}</span>
            </label>
          </li>
        ))}
      </ul>
      <p className="buttons">
        <button type="button" className="quiet" onClick={() => setAll([])} disabled={off.size === 0}>
          All
        </button>
        <button
          type="button"
          className="quiet"
          onClick={() => setAll(graph.clusters.map(({ id }) => id))}
          disabled={graph.clusters.every(({ id }) => off.has(id))}
        >
          None
        </button>
      </p>
    </>
  )
}
