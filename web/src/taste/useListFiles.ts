/** Reads list files, chosen or dropped; goes on while the panel is closed. */
import { useCallback, useRef, useState } from 'react'
import { FileError } from '../data/file'
import type { AnimeGraph } from '../data/graph'
import { type ListFile, readListFile, report } from '../data/listfile'
import { type ChangeList, imported } from './scores'

/**
 * `read`: read a file; `onList` gets the list and a sentence about it. `failure`: what was wrong with the last
 * one. `reading`: whether one is being read.
 */
export function useFiles(graph: AnimeGraph, onList: (list: ListFile, text: string) => void) {
  const [failure, setFailure] = useState<string | null>(null)
  const [reading, setReading] = useState(0)
  /** Ends when the files so far are read: one after the other, so that the last one's scores count. */
  const turn = useRef(Promise.resolve())
  const read = useCallback(
    async (file: File) => {
      const before = turn.current
      let done = () => {}
      turn.current = new Promise((resolve) => {
        done = resolve
      })
      setReading((files) => files + 1)
      await before
      setFailure(null)
      try {
        const list = await readListFile(file)
        const onMap = [...list.scores.keys()].filter((id) => graph.byId.has(id)).length
        const name = list.user ? `The list of ${list.user}` : 'The list'
        onList(list, `${name}: ${report(list, onMap)}`)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        setFailure(error.message)
      } finally {
        setReading((files) => files - 1)
        done()
      }
    },
    [graph, onList],
  )
  return { failure, reading: reading > 0, read, setFailure }
}

/** Add files to the user's list. */
export function useListFiles(graph: AnimeGraph, change: ChangeList) {
  const add = useCallback(
    (file: ListFile, text: string) => change((list) => imported(list, file), text),
    [change],
  )
  return useFiles(graph, add)
}

export type ListFiles = ReturnType<typeof useFiles>
