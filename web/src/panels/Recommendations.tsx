/** Recommendations from the user's list, with filters; titles and reasons can be taken out. */

import type { AnimeGraph } from '../data/graph'
import { plannedTitles } from '../taste/opinions'
import type { Recommendation, Table } from '../taste/recommend'
import { toggled, type UserList } from '../taste/scores'
import { type Recommended, STEP } from '../taste/useRecommendations'
import { FilterFields } from './FilterFields'
import { Computing, Facts, TitleRow } from './parts'

interface Props {
  graph: AnimeGraph
  list: UserList
  recommended: Recommended
  /** Whether the scores are those of a link. */
  ofLink: boolean
  change(list: UserList, text: string): void
  onOpen(id: number): void
}

export function Recommendations({ graph, list, recommended, ofLink, change, onOpen }: Props) {
  const { options, setOptions, answer, stale } = recommended
  if (!answer) return <Computing />
  const { table } = answer
  if (!table) return <p className="message">Your list says nothing of the titles of this map yet.</p>
  const planned = plannedTitles(list)
  const title = (id: number) => graph.byId.get(id)!.title
  const refuse = (id: number) =>
    change({ ...list, unwanted: toggled(list.unwanted, id) }, `${title(id)} is not recommended any more.`)
  const mute = (id: number) =>
    change({ ...list, muted: toggled(list.muted, id) }, `${title(id)} is left out as a reason.`)
  return (
    <section aria-labelledby="recommended" aria-busy={stale}>
      <h3 id="recommended">{ofLink ? 'Recommended from these scores' : 'Recommended for you'}</h3>
      {stale && <Computing />}
      <FilterFields
        graph={graph}
        options={options}
        passing={table.passing}
        withPlanned={planned.size > 0 || options.planned !== 'also'}
        onOptions={setOptions}
      />
      <Nothing table={table} plansNone={options.planned === 'only' && planned.size === 0} />
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
  if (plansNone) return <p className="message">Your list plans none of the titles of this map.</p>
  if (table.candidates === 0) return <p className="message">Your list has every title of this map.</p>
  const taken = table.taken.map(([name, number]) => `${name} takes ${number.toLocaleString('en')}`)
  return (
    <p className="message">
      Nothing is left: of the {table.candidates.toLocaleString('en')} titles that are not on your list,{' '}
      {taken.join(', then ')}.
    </p>
  )
}

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
      {reasons.length > 0 && 'because of '}
      {reasons.map((reason) => {
        const { title } = graph.byId.get(reason)!
        return (
          <span key={reason} className="reason">
            {title}
            <button
              type="button"
              aria-label={`Leave out ${title} as a reason`}
              title="Leave out as a reason"
              onClick={() => onMute(reason)}
            >
              ×
            </button>
          </span>
        )
      })}
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
        {predicted.toFixed(1)}
        <small>likely</small>
      </span>
    </TitleRow>
  )
}
