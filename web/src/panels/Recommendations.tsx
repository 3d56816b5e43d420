/** Recommendations from the user's list, with filters; titles and reasons can be taken out. */

import { useMemo } from 'react'
import type { AnimeGraph } from '../data/graph'
import { plannedTitles } from '../taste/opinions'
import type { Recommendation, Table } from '../taste/recommend'
import { type ChangeList, toggled, type UserList } from '../taste/scores'
import { type Recommended, STEP } from '../taste/useRecommendations'
import type { SharedList } from '../taste/useSharedList'
import { FilterFields } from './FilterFields'
import { Computing, Facts, TitleRow } from './parts'

interface Props {
  graph: AnimeGraph
  list: UserList
  recommended: Recommended
  shared: SharedList | null
  change: ChangeList
  onOpen(id: number): void
}

export function Recommendations({ graph, list, recommended, shared, change, onOpen }: Props) {
  const { options, setOptions, answer, stale } = recommended
  const planned = useMemo(() => plannedTitles(list), [list])
  if (!answer) return <Computing />
  const { table } = answer
  if (!table) return <p className="message">A list says nothing about the titles of this map yet.</p>
  const title = (id: number) => graph.byId.get(id)!.title
  const refuse = (id: number) =>
    change((list) => toggled(list, 'unwanted', id), `${title(id)} is no longer recommended.`)
  const mute = (id: number) =>
    change((list) => toggled(list, 'muted', id), `${title(id)} is no longer used as a reason.`)
  return (
    <section aria-labelledby="recommended" aria-busy={stale}>
      <h3 id="recommended">
        {!shared
          ? 'Recommended for you'
          : shared.together
            ? 'Recommended for both'
            : 'Recommended from these scores'}
      </h3>
      {stale && <Computing />}
      <FilterFields
        graph={graph}
        options={options}
        passing={table.passing}
        planned={planned}
        onOptions={setOptions}
      />
      <Nothing table={table} plansNone={options.filters.planned === 'only' && planned.size === 0} />
      <ol className="titles recommendations">
        {table.rows.map((row) => (
          <Row key={row.id} graph={graph} row={row} onOpen={onOpen} onRefuse={refuse} onMute={mute} />
        ))}
      </ol>
      {table.passing > table.rows.length && (
        <p>
          <button
            type="button"
            className="quiet"
            onClick={() => setOptions({ ...options, number: options.number + STEP })}
          >
            Show more
          </button>
        </p>
      )}
    </section>
  )
}

/** Why nothing is recommended, if that is so. */
function Nothing({ table, plansNone }: { table: Table; plansNone: boolean }) {
  if (table.passing > 0) return null
  if (plansNone) return <p className="message">You plan to watch none of these titles.</p>
  if (table.candidates === 0) return <p className="message">Every title of this map is on your list.</p>
  const removed = table.removed.map(([label, number]) => `by ${label}: ${number.toLocaleString('en')}`)
  return <p className="message">Nothing is left to recommend; removed {removed.join('; ')}.</p>
}

const PEOPLE = ['you', 'they']

interface ReasonsProps {
  graph: AnimeGraph
  ids: number[]
  /** Whose, by the index in PEOPLE; null for one person. */
  of: number | null
  onMute(id: number): void
}

/** The titles of one list that a recommendation is made for; those of the user can be taken out. */
const Reasons = ({ graph, ids, of, onMute }: ReasonsProps) =>
  ids.length > 0 && (
    <>
      {of === null ? 'because of ' : `${PEOPLE[of]}: `}
      {ids.map((id) => {
        const { title } = graph.byId.get(id)!
        return (
          <span key={id} className="reason">
            {title}
            {!of && (
              <button
                type="button"
                aria-label={`Do not use ${title} as a reason`}
                title="Do not use as a reason"
                onClick={() => onMute(id)}
              >
                ×
              </button>
            )}
          </span>
        )
      })}
    </>
  )

interface RowProps {
  graph: AnimeGraph
  row: Recommendation
  onOpen(id: number): void
  onRefuse(id: number): void
  onMute(id: number): void
}

function Row({ graph, row: { id, predicted, tags, reasons }, onOpen, onRefuse, onMute }: RowProps) {
  const anime = graph.byId.get(id)!
  const note = (
    <>
      <Facts anime={anime} />
      <span>
        {tags.map((tag) => (
          <span key={tag} className="tag">
            {tag}
          </span>
        ))}
      </span>
    </>
  )
  const below = (
    <div className="reasons">
      {reasons.map((ids, person) => (
        <Reasons key={PEOPLE[person]} {...{ graph, ids, onMute }} of={reasons.length > 1 ? person : null} />
      ))}
      <button
        type="button"
        className="quiet refuse"
        aria-label={`Not interested in ${anime.title}`}
        onClick={() => onRefuse(id)}
      >
        Not interested
      </button>
    </div>
  )
  return (
    <TitleRow anime={anime} onOpen={onOpen} note={note} below={below}>
      <span className="predicted">
        <span className="visually-hidden">predicted score </span>
        {predicted.map((score) => score?.toFixed(1) ?? '?').join(' · ')}
        <small>{predicted.length > 1 ? PEOPLE.join(' · ') : 'likely'}</small>
      </span>
    </TitleRow>
  )
}
