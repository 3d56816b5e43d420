/** The user's scores: the list file, the scored titles, and the recommendations. */
import { useEffect, useRef, useState } from 'react'
import { FileError } from './file'
import type { AnimeGraph } from './graph'
import { type ListFile, readListFile } from './listfile'
import { PanelHead } from './parts'
import { Recommendations } from './Recommendations'
import { type Scores, scoredOn } from './scores'

interface Props {
  graph: AnimeGraph
  scores: Scores
  /** Those with a score and on this map, the highest first. */
  scored: [number, number][]
  /** Whether the browser keeps the scores. */
  kept: boolean
  change(scores: Scores): void
  onOpen(id: number): void
  onClose(): void
  /** A file that was dropped on the page; a new object for each drop. */
  dropped: File | null
}

/** Scored titles that are listed. */
const MAX_LISTED = 200

const count = (number: number, one: string, more: string) =>
  `${number.toLocaleString('en')} ${number === 1 ? one : more}`

function describe(graph: AnimeGraph, { user, scores }: ListFile): string {
  const name = user ? `The list of ${user}` : 'The list'
  const withScore = [...scores.values()].filter((score) => score > 0).length.toLocaleString('en')
  const onMap = scoredOn(graph, scores).length.toLocaleString('en')
  return `${name}: ${count(scores.size, 'entry', 'entries')}, ${withScore} with a score, ${onMap} of these on this map.`
}

interface Message {
  text: string
  bad?: boolean
  undo?: Scores
}

/** Reading list files, removing all scores, and undoing that, with a message about the last of them. */
function useActions({ graph, scores, change, dropped }: Props) {
  const [message, setMessage] = useState<Message | null>(null)
  const [reading, setReading] = useState(false)

  const read = async (file: File) => {
    setReading(true)
    setMessage(null)
    try {
      const list = await readListFile(file)
      change(new Map([...scores, ...list.scores]))
      setMessage({ text: describe(graph, list) })
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      setMessage({ text: error.message, bad: true })
    } finally {
      setReading(false)
    }
  }
  const handled = useRef<File | null>(null)
  useEffect(() => {
    if (!dropped || handled.current === dropped) return
    handled.current = dropped
    void read(dropped)
  })

  const removeAll = () => {
    setMessage({ text: 'All scores are removed.', undo: scores })
    change(new Map())
  }
  const undo = (removed: Scores) => {
    setMessage(null)
    change(removed)
  }
  return { message, reading, read, removeAll, undo }
}

export function ScoresPanel(props: Props) {
  const { graph, scores, scored, kept, onOpen, onClose } = props
  const { message, reading, read, removeAll, undo } = useActions(props)
  return (
    <>
      <PanelHead title="Your scores" onClose={onClose} />
      <p>
        Give titles stars on their pages, or open the list that MyAnimeList exports (XML or .gz; you can also
        drop it on this page). It is read in your browser and never leaves it.
      </p>
      <p className="buttons">
        <FileButton disabled={reading} onFile={read}>
          {reading ? 'Reading the list…' : 'Open list file'}
        </FileButton>
        {scores.size > 0 && (
          <button type="button" className="quiet" onClick={removeAll}>
            Remove all scores
          </button>
        )}
      </p>
      <div role="status">
        {message && (
          <p className={message.bad ? 'message bad' : 'message'}>
            {message.text}{' '}
            {message.undo && (
              <button type="button" className="quiet" onClick={() => undo(message.undo!)}>
                Undo
              </button>
            )}
          </p>
        )}
        {!kept && (
          <p className="message">
            This browser does not keep data for this page. The scores are lost when you close it.
          </p>
        )}
      </div>
      {scored.length > 0 && <ScoredTitles graph={graph} scored={scored} onOpen={onOpen} />}
      {scored.length > 0 && graph.model && <Recommendations graph={graph} scores={scores} onOpen={onOpen} />}
      {!graph.model && (
        <p className="message">
          This graph does not contain what recommendations need. Make it again with embeddings.py.
        </p>
      )}
      {graph.model && scored.length === 0 && !message && (
        <p className="message">You have not scored a title of this map yet.</p>
      )}
    </>
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
  const accept = '.xml,.gz,text/xml,application/gzip'
  return (
    <>
      <button type="button" onClick={() => input.current!.click()} disabled={disabled}>
        {children}
      </button>
      <input ref={input} type="file" accept={accept} hidden aria-label="List file" onChange={onChange} />
    </>
  )
}

function ScoredTitles({ graph, scored, onOpen }: Pick<Props, 'graph' | 'scored' | 'onOpen'>) {
  return (
    <details>
      <summary>{count(scored.length, 'scored title', 'scored titles')} on this map</summary>
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
    </details>
  )
}
