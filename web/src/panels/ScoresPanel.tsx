/** The user's list: the file, the scored titles, the recommendations, and undoing every change. */
import { useEffect, useRef, useState } from 'react'
import type { AnimeGraph } from '../data/graph'
import { EMPTY, toggled, type useScores } from '../taste/scores'
import type { ListFiles } from '../taste/useListFiles'
import type { Recommended } from '../taste/useRecommendations'
import type { SharedList } from '../taste/useSharedList'
import { SharedChoice } from './Notices'
import { PanelHead } from './parts'
import { Recommendations } from './Recommendations'
import { Taste } from './Taste'

type Props = ReturnType<typeof useScores> & {
  graph: AnimeGraph
  recommended: Recommended
  shared: SharedList | null
  files: ListFiles
  friendFile: ListFiles
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
  const { graph, list, scored, isStored, change, recommended, shared, files, friendFile, onOpen, onClose } =
    props
  const { failure, reading, read, setFailure } = files
  const mark = useKeptScroll(recommended)
  // An error that was seen is not shown again.
  const { setFailure: setFriendFailure } = friendFile
  useEffect(
    () => () => {
      setFailure(null)
      setFriendFailure(null)
    },
    [setFailure, setFriendFailure],
  )
  const removeAll = () => change(() => EMPTY, 'Your list is empty now.')
  const openFile = (
    <FileButton disabled={reading} onFile={read}>
      {reading ? 'Reading the list…' : list.scores.size === 0 ? 'Open list file' : 'Open file'}
    </FileButton>
  )
  return (
    <>
      <PanelHead
        title={!shared ? 'Your scores' : shared.together ? 'Watch together' : 'Shared scores'}
        onClose={onClose}
      />
      <LastChange {...props} failure={failure ?? friendFile.failure} />
      {shared && (
        <p>
          <SharedChoice {...shared} />
        </p>
      )}
      {!shared && scored.length === 0 && (
        <p>
          Give titles stars on their pages, or open your exported list (XML or JSON, .gz or .zip; you can drop
          it here). It never leaves your browser.
        </p>
      )}
      {!shared && list.scores.size === 0 && <p className="buttons">{openFile}</p>}
      <div role="status" ref={mark}>
        {!isStored && (
          <p className="message">
            This browser does not let the page store data. Your scores are lost when you close it.
          </p>
        )}
      </div>
      <div className="about-list">
        {list.scores.size > 0 && (
          <ScoredTitles {...{ graph, scored, onOpen }} onRemove={shared ? null : removeAll} />
        )}
        {scored.length > 0 && (
          <Taste graph={graph} scored={scored} recommended={recommended} onOpen={onOpen} />
        )}
        <LeftOut graph={graph} list={list} change={change} />
        {!shared && list.scores.size > 0 && (
          <>
            {openFile}
            <FileButton disabled={friendFile.reading} onFile={friendFile.read}>
              Watch with a friend: open their list
            </FileButton>
          </>
        )}
      </div>
      {list.scores.size > 0 && (
        <Recommendations {...{ graph, list, recommended, change, onOpen }} shared={shared} />
      )}
      {list.scores.size === 0 && !failure && !reading && (
        <p className="message">You have not scored a title of this map yet.</p>
      )}
    </>
  )
}

/** What was wrong with a file, and the last change, which stays in sight until it is undone or dismissed. */
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
          <button type="button" className="quiet" aria-label="Dismiss" onClick={() => setAway(last)}>
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

/** Titles that are not recommended, and those that are not used as reasons. */
function LeftOut({ graph, list, change }: Pick<Props, 'graph' | 'list' | 'change'>) {
  const out = (['unwanted', 'muted'] as const).flatMap((kind) =>
    [...list[kind]].filter((id) => graph.byId.has(id)).map((id) => ({ kind, id })),
  )
  if (out.length === 0) return null
  const restore = (kind: 'unwanted' | 'muted', id: number) => {
    const { title } = graph.byId.get(id)!
    const text =
      kind === 'muted' ? `${title} is used as a reason again.` : `${title} can be recommended again.`
    change((list) => toggled(list, kind, id), text)
  }
  return (
    <details>
      <summary>{out.length} left out</summary>
      <ol className="scored-titles">
        {out.map(({ kind, id }) => (
          <li key={kind + id}>
            <span>
              {graph.byId.get(id)!.title}{' '}
              <span className="facts">{kind === 'muted' ? 'not used as a reason' : 'not interested'}</span>
            </span>
            <button
              type="button"
              aria-label={`Restore ${graph.byId.get(id)!.title}`}
              onClick={() => restore(kind, id)}
            >
              Restore
            </button>
          </li>
        ))}
      </ol>
    </details>
  )
}
