/** The user's list: the file, the scored titles, the recommendations, and undoing every change. */
import { useEffect, useRef, useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import { EMPTY, toggled, type UserList, type useScores } from '../taste/scores'
import type { ListFiles } from '../taste/useListFiles'
import type { Recommended } from '../taste/useRecommendations'
import type { SharedLink } from '../taste/useSharedList'
import { LinkChoice } from './Notices'
import { PanelHead } from './parts'
import { Recommendations } from './Recommendations'
import { Taste } from './Taste'

type Props = ReturnType<typeof useScores> & {
  graph: AnimeGraph
  recommended: Recommended
  link: SharedLink | null
  files: ListFiles
  onOpen(id: number): void
  onClose(): void
}

/** Scored titles that are listed. */
const MAX_LISTED = 200

const count = (number: number, one: string, more: string) =>
  `${number.toLocaleString('en')} ${number === 1 ? one : more}`

/** Put the panel where it was when it was last shown. */
function useKeptScroll({ scroll }: Recommended) {
  const mark = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const panel = mark.current!.closest('.panel')!
    panel.scrollTop = scroll.current
    const onScroll = () => {
      scroll.current = panel.scrollTop
    }
    panel.addEventListener('scroll', onScroll)
    return () => panel.removeEventListener('scroll', onScroll)
  }, [scroll])
  return mark
}

export function ScoresPanel(props: Props) {
  const { graph, list, scored, kept, change, recommended, link, files, onOpen, onClose } = props
  const { failure, reading, read, setFailure } = files
  const mark = useKeptScroll(recommended)
  // Once it was seen, it is not said again.
  useEffect(() => () => setFailure(null), [setFailure])
  const removeAll = () => change(EMPTY, 'All scores are removed.')
  const openFile = (
    <FileButton disabled={reading} onFile={read}>
      {reading ? 'Reading the list…' : list.scores.size === 0 ? 'Open list file' : 'Open file'}
    </FileButton>
  )
  return (
    <>
      <PanelHead title={link ? 'Scores of the link' : 'Your scores'} onClose={onClose} />
      <LastChange {...props} failure={failure} />
      {link && (
        <p>
          <LinkChoice {...link} />
        </p>
      )}
      {!link && scored.length === 0 && (
        <p>
          Give titles stars on their pages, or open the list that MyAnimeList exports (XML, .gz or .zip; or
          drop it here). It never leaves your browser.
        </p>
      )}
      {!link && list.scores.size === 0 && <p className="buttons">{openFile}</p>}
      <div role="status" ref={mark}>
        {!kept && (
          <p className="message">
            This browser does not keep data for this page. The scores are lost when you close it.
          </p>
        )}
      </div>
      <div className="about-list">
        {list.scores.size > 0 && (
          <ScoredTitles {...{ graph, scored, onOpen }} onRemove={link ? null : removeAll} />
        )}
        {scored.length > 0 && graph.model && (
          <Taste graph={graph} scored={scored} recommended={recommended} onOpen={onOpen} />
        )}
        <LeftOut graph={graph} list={list} change={change} />
        {!link && list.scores.size > 0 && openFile}
      </div>
      {list.scores.size > 0 && graph.model && (
        <Recommendations {...{ graph, list, recommended, change, onOpen }} ofLink={link !== null} />
      )}
      {!graph.model && (
        <p className="message">
          This graph does not contain what recommendations need. Make it again with embeddings.py.
        </p>
      )}
      {graph.model && list.scores.size === 0 && !failure && !reading && (
        <p className="message">You have not scored a title of this map yet.</p>
      )}
    </>
  )
}

/** What was wrong with a file, and the last change, which stays in sight until it is undone or put away. */
function LastChange({ last, undo, failure }: Pick<Props, 'last' | 'undo'> & Pick<ListFiles, 'failure'>) {
  const [away, setAway] = useState<Props['last']>(null)
  return (
    <div role="status" className="last-change">
      {failure && <p className="message bad">{failure}</p>}
      {last && last !== away && (
        <p className="message">
          <span>{last.text}</span>
          <button type="button" className="quiet" onClick={undo}>
            Undo
          </button>
          <button
            type="button"
            className="quiet"
            aria-label="Hide this message"
            onClick={() => setAway(last)}
          >
            ×
          </button>
        </p>
      )}
    </div>
  )
}

interface FileButtonProps {
  disabled: boolean
  onFile(file: File): void
  children: React.ReactNode
}

function FileButton({ disabled, onFile, children }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null)
  const onChange = ({ target }: React.ChangeEvent<HTMLInputElement>) => {
    const file = target.files?.[0]
    // Otherwise the same file could not be chosen again.
    target.value = ''
    if (file) onFile(file)
  }
  const accept = '.xml,.json,.gz,.zip,text/xml,application/json,application/gzip,application/zip'
  return (
    <>
      <button type="button" onClick={() => input.current!.click()} disabled={disabled}>
        {children}
      </button>
      <input ref={input} type="file" accept={accept} hidden aria-label="List file" onChange={onChange} />
    </>
  )
}

interface ScoredProps extends Pick<Props, 'graph' | 'scored' | 'onOpen'> {
  /** Removes all scores; null where they are not the user's own. */
  onRemove: (() => void) | null
}

function ScoredTitles({ graph, scored, onOpen, onRemove }: ScoredProps) {
  return (
    <details>
      <summary>{count(scored.length, 'scored title', 'scored titles')}</summary>
      <p className="facts">On this map, the highest scores first.</p>
      <ol className="scored-titles">
        {scored.slice(0, MAX_LISTED).map(([id, score]) => (
          <li key={id}>
            <button type="button" onClick={() => onOpen(id)}>
              {graph.byId.get(id)!.title}
            </button>{' '}
            <strong>{score}</strong>
          </li>
        ))}
      </ol>
      {scored.length > MAX_LISTED && <p>… and {scored.length - MAX_LISTED} more.</p>}
      {onRemove && (
        <button type="button" className="quiet" onClick={onRemove}>
          Remove all scores
        </button>
      )}
    </details>
  )
}

/** What the user took out: titles, and reasons. */
function LeftOut({ graph, list, change }: Pick<Props, 'graph' | 'list' | 'change'>) {
  const out = (['unwanted', 'muted'] as const).flatMap((kind) =>
    [...list[kind]].filter((id) => graph.byId.has(id)).map((id) => ({ kind, id })),
  )
  if (out.length === 0) return null
  const takeBack = (kind: 'unwanted' | 'muted', id: number) => {
    const next: UserList = { ...list, [kind]: toggled(list[kind], id) }
    const { title } = graph.byId.get(id)!
    change(next, kind === 'muted' ? `${title} is a reason again.` : `${title} can be recommended again.`)
  }
  return (
    <details>
      <summary>{out.length} left out</summary>
      <ol className="scored-titles">
        {out.map(({ kind, id }) => (
          <li key={kind + id}>
            <span>
              {graph.byId.get(id)!.title}{' '}
              <span className="facts">{kind === 'muted' ? 'as a reason' : 'not interested'}</span>
            </span>
            <button
              type="button"
              aria-label={`Take back ${graph.byId.get(id)!.title}`}
              onClick={() => takeBack(kind, id)}
            >
              Take back
            </button>
          </li>
        ))}
      </ol>
    </details>
  )
}
