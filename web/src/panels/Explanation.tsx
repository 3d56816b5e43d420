/** What on the user's list speaks for a title, and against it: --explain of recommend.py. */
import { useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import { animeAddress } from '../data/route'
import type { Term } from '../taste/query'
import type { UserList } from '../taste/scores'
import { Computing } from './parts'

interface Props {
  graph: AnimeGraph
  list: UserList
  /** What speaks for the title first; null while it is computed. */
  terms: Term[] | null
  onOpen(id: number): void
}

/** Share below which titles are counted instead of named, as LEAST_SHARE of recommend.py. */
const LEAST_SHARE = 0.001
/** Titles that are named at first. */
const NAMED = 8

export function Explanation(props: Props) {
  const { terms } = props
  const supporting = terms?.filter(({ share }) => share > 0)
  const opposing = terms?.filter(({ share }) => share < 0).reverse()
  return (
    <details className="explanation">
      <summary>Why this title?</summary>
      {supporting && opposing ? (
        <>
          <Terms {...props} words="for" terms={supporting} />
          <Terms {...props} words="against" terms={opposing} />
        </>
      ) : (
        <Computing />
      )}
    </details>
  )
}

function Terms({ graph, list, terms, words, onOpen }: Props & { terms: Term[]; words: 'for' | 'against' }) {
  const [all, setAll] = useState(false)
  if (terms.length === 0) return <p>Nothing on the list counts {words} it.</p>
  const named = terms.filter(({ share }) => Math.abs(share) >= LEAST_SHARE)
  const shown = all ? named : named.slice(0, NAMED)
  return (
    <>
      <h4>{words === 'for' ? 'For it' : 'Against it'}</h4>
      <ol className="scored-titles terms">
        {shown.map(({ id, share }) => (
          <li key={id}>
            <span>
              <a
                href={animeAddress(id)}
                onClick={(event) => {
                  event.preventDefault()
                  onOpen(id)
                }}
              >
                {graph.byId.get(id)!.title}
              </a>{' '}
              <span className="facts">{opinionOf(list, id)}</span>
            </span>
            <strong>{(100 * Math.abs(share)).toFixed(1)} %</strong>
          </li>
        ))}
      </ol>
      {shown.length < named.length && (
        <button type="button" className="quiet" onClick={() => setAll(true)}>
          {named.length - shown.length} more
        </button>
      )}
      {shown.length === named.length && named.length < terms.length && (
        <p className="facts">
          and {(terms.length - named.length).toLocaleString('en')} titles below 0.1 % each
        </p>
      )}
    </>
  )
}

function opinionOf({ scores, statuses }: UserList, id: number): string {
  const score = scores.get(id)
  return score ? `score ${score}` : (statuses.get(id) ?? '').replaceAll('_', ' ')
}
