/** What the recommendations are narrowed down to: the options of recommend.py. */
import { useMemo, useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import {
  FILTERS,
  type FilterRow,
  factOf,
  hasRelations,
  isSet,
  type Options,
  type Range,
  type Wanted,
} from '../taste/filters'
import { DEFAULTS, STEP } from '../taste/useRecommendations'
import { mediaTypeName, titleCount } from './parts'

interface Props {
  graph: AnimeGraph
  options: Options
  /** How many titles pass. */
  passing: number
  /** Ids of the titles that are only planned. */
  planned: ReadonlySet<number>
  onOptions(options: Options): void
}

/** Return the different values of a fact on this map, sorted; seasons with the newest first. */
function valuesOf(graph: AnimeGraph, fact: string): string[] {
  const none = new Set<number>()
  const values = graph.anime.flatMap((anime) => factOf(anime, fact, none) ?? []) as string[]
  const sorted = [...new Set(values)].sort()
  return fact === 'season' ? sorted.reverse() : sorted
}

/** Whether a filter can change anything on this map. The titles to leave out have buttons of their own. */
function isUseful({ read, fact }: FilterRow, graph: AnimeGraph, planned: ReadonlySet<number>): boolean {
  if (read === 'titles') return false
  const facts = graph.anime.map((anime) => factOf(anime, fact, planned))
  return read === 'flag' || read === 'choice' ? facts.includes(true) : facts.some((value) => value !== null)
}

const capital = (text: string) => text[0].toUpperCase() + text.slice(1)

export function FilterFields({ graph, options, passing, planned, onOptions }: Props) {
  const { filters, niche, sequels } = options
  const useful = useMemo(() => FILTERS.filter((row) => isUseful(row, graph, planned)), [graph, planned])
  const set = (changed: Partial<Options>) => onOptions({ ...options, number: STEP, ...changed })
  const isChanged = niche !== 0 || sequels || Object.values(filters).some(isSet)
  const [shown, setShown] = useState(isChanged)
  return (
    <details open={shown} onToggle={({ currentTarget }) => setShown(currentTarget.open)}>
      <summary>Filters, less famous titles</summary>
      <div className="filters">
        {useful.map((row) => (
          <Field
            key={row.keyword}
            {...{ graph, row }}
            wanted={filters[row.keyword]}
            onChange={(wanted) => set({ filters: { ...filters, [row.keyword]: wanted } })}
          />
        ))}
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
          <Check checked={sequels} onChange={(sequels) => set({ sequels })}>
            Sequels of what you have not seen, and more than one title of a franchise
          </Check>
        )}
        {isChanged && (
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

interface FieldProps {
  graph: AnimeGraph
  row: FilterRow
  wanted: Wanted[string] | undefined
  onChange(wanted: Wanted[string]): void
}

/** The field of one filter, by its `read`. */
function Field({ graph, row: { label, fact, read, help }, wanted, onChange }: FieldProps) {
  const all = useMemo(
    () => (read === 'names' || read === 'seasons' ? valuesOf(graph, fact) : []),
    [graph, fact, read],
  )
  const name = capital(label)
  if (read === 'flag')
    return (
      <Check checked={wanted === true} onChange={onChange}>
        {capital(help)}
      </Check>
    )
  if (read === 'choice')
    return (
      <label>
        {name}
        <select value={String(wanted ?? 'also')} onChange={({ target }) => onChange(target.value)}>
          <option value="also">Included</option>
          <option value="only">Only these</option>
          <option value="no">Left out</option>
        </select>
      </label>
    )
  if (read === 'score')
    return (
      <NumberField value={wanted as number} onChange={(value) => onChange(value ?? [])}>
        {name}, at least
      </NumberField>
    )
  if (read === 'years') {
    const [first, last] = isSet(wanted) ? (wanted as Range) : [null, null]
    const change = (range: Range) => onChange(range.every((year) => year === null) ? [] : range)
    return (
      <>
        <NumberField value={first} onChange={(value) => change([value, last])}>
          From {label}
        </NumberField>
        <NumberField value={last} onChange={(value) => change([first, value])}>
          To {label}
        </NumberField>
      </>
    )
  }
  const nameOf = fact === 'media_type' ? mediaTypeName : undefined
  return <Choice label={name} {...{ all, nameOf, onChange }} chosen={(wanted ?? []) as string[]} />
}

interface NumberProps {
  value: number | null | undefined
  onChange(value: number | null): void
  children: React.ReactNode
}

const NumberField = ({ value, onChange, children }: NumberProps) => (
  <label>
    {children}
    <input
      type="number"
      inputMode="decimal"
      min={0}
      step="any"
      value={typeof value === 'number' ? value : ''}
      onChange={({ target }) => onChange(target.value === '' ? null : Number(target.value))}
    />
  </label>
)

interface CheckProps {
  checked: boolean
  onChange(checked: boolean): void
  children: React.ReactNode
}

const Check = ({ checked, onChange, children }: CheckProps) => (
  <label className="whole-line check">
    <input type="checkbox" checked={checked} onChange={({ target }) => onChange(target.checked)} />
    <span>{children}</span>
  </label>
)

interface ChoiceProps {
  label: string
  all: string[]
  chosen: string[]
  nameOf?(value: string): string
  onChange(chosen: string[]): void
}

/** A menu that adds values, and a button for each that removes it. */
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
          aria-label={`Remove ${label.toLowerCase()} ${nameOf(value)}`}
          onClick={() => onChange(chosen.filter((other) => other !== value))}
        >
          {nameOf(value)} <span aria-hidden="true">×</span>
        </button>
      ))}
    </div>
  )
}
