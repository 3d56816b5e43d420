/** What the recommendations are narrowed down to: the options of recommend.py. */
import { useMemo, useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import { hasRelations, type Options } from '../taste/filters'
import { DEFAULTS, STEP } from '../taste/useRecommendations'
import { mediaTypeName, titleCount } from './parts'

interface Props {
  graph: AnimeGraph
  options: Options
  /** How many titles pass. */
  passing: number
  /** Whether the list has titles that are planned. */
  withPlanned: boolean
  onOptions(options: Options): void
}

/** Return the different values of a field, sorted. */
const valuesOf = (graph: AnimeGraph, read: (title: AnimeGraph['anime'][number]) => string[]) =>
  [...new Set(graph.anime.flatMap(read))].sort()

export function FilterFields({ graph, options, passing, withPlanned, onOptions }: Props) {
  const types = useMemo(() => valuesOf(graph, ({ mediaType }) => (mediaType ? [mediaType] : [])), [graph])
  const genres = useMemo(() => valuesOf(graph, (title) => title.genres), [graph])
  const set = (changed: Partial<Options>) => onOptions({ ...options, number: STEP, ...changed })
  const number = (name: 'firstYear' | 'lastYear' | 'minScore') => ({
    type: 'number',
    value: options[name] ?? '',
    onChange: ({ target }: React.ChangeEvent<HTMLInputElement>) =>
      set({ [name]: target.value === '' ? null : Number(target.value) }),
  })
  const { number: _, ...chosen } = options
  const { number: __, ...defaults } = DEFAULTS
  const isSet = JSON.stringify(chosen) !== JSON.stringify(defaults)
  const [shown, setShown] = useState(isSet)
  return (
    <details open={shown} onToggle={({ currentTarget }) => setShown(currentTarget.open)}>
      <summary>Filters, less famous titles</summary>
      <div className="filters">
        <label>
          From year
          <input inputMode="numeric" min={1900} max={2100} {...number('firstYear')} />
        </label>
        <label>
          To year
          <input inputMode="numeric" min={1900} max={2100} {...number('lastYear')} />
        </label>
        <label>
          Min. score
          <input inputMode="decimal" min={0} max={10} step={0.1} {...number('minScore')} />
        </label>
        <Choice
          label="Type"
          all={types}
          chosen={options.types}
          nameOf={mediaTypeName}
          onChange={(types) => set({ types })}
        />
        <Choice
          label="With genre"
          all={genres}
          chosen={options.genres}
          onChange={(genres) => set({ genres })}
        />
        <Choice
          label="Without genre"
          all={genres}
          chosen={options.notGenres}
          onChange={(notGenres) => set({ notGenres })}
        />
        <MoreFields {...{ graph, options, withPlanned, set }} />
        {isSet && (
          <p>
            <span role="status">{passing === 1 ? 'One title passes' : `${titleCount(passing)} pass`}</span>
            <button type="button" className="quiet" onClick={() => onOptions({ ...DEFAULTS })}>
              Clear filters
            </button>
          </p>
        )}
      </div>
    </details>
  )
}

interface MoreProps extends Pick<Props, 'graph' | 'options' | 'withPlanned'> {
  set(changed: Partial<Options>): void
}

/** Planned titles, sequels, and how much popularity counts. */
function MoreFields({ graph, options, withPlanned, set }: MoreProps) {
  const { planned, niche, sequels } = options
  return (
    <>
      {withPlanned && (
        <label>
          Planned titles
          <select
            value={planned}
            onChange={({ target }) => set({ planned: target.value as Options['planned'] })}
          >
            <option value="also">Included</option>
            <option value="only">Only these</option>
            <option value="no">Left out</option>
          </select>
        </label>
      )}
      <label className="whole-line">
        Less famous titles: {Math.round(niche * 100)} %
        <input
          type="range"
          min={0}
          max={1}
          step={0.1}
          value={niche}
          aria-valuetext={`${Math.round(niche * 100)} %`}
          onChange={({ target }) => set({ niche: Number(target.value) })}
        />
      </label>
      {hasRelations(graph.anime) && (
        <label className="whole-line check">
          <input
            type="checkbox"
            checked={sequels}
            onChange={({ target }) => set({ sequels: target.checked })}
          />
          Sequels of what you have not seen, and more than one title of a franchise
        </label>
      )}
    </>
  )
}

interface ChoiceProps {
  label: string
  all: string[]
  chosen: string[]
  nameOf?(value: string): string
  onChange(chosen: string[]): void
}

/** A menu that adds values, and a button for each that takes it away. */
function Choice({ label, all, chosen, nameOf = (value) => value, onChange }: ChoiceProps) {
  if (all.length === 0) return null
  return (
    <div className="choice">
      <label>
        {label}
        <select value="" onChange={({ target }) => onChange([...chosen, target.value])}>
          <option value="">{chosen.length > 0 ? 'Add…' : 'Any'}</option>
          {all
            .filter((value) => !chosen.includes(value))
            .map((value) => (
              <option key={value} value={value}>
                {nameOf(value)}
              </option>
            ))}
        </select>
      </label>
      {chosen.map((value) => (
        <button
          key={value}
          type="button"
          className="chip"
          aria-label={`${label} ${nameOf(value)}: take away`}
          onClick={() => onChange(chosen.filter((other) => other !== value))}
        >
          {nameOf(value)} <span aria-hidden="true">×</span>
        </button>
      ))}
    </div>
  )
}
