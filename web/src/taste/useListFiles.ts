/** Reads the user's list files, chosen or dropped; goes on while the panel is closed. */
import { useCallback, useRef, useState } from 'react'
import { FileError } from '../data/file'
import type { AnimeGraph } from '../data/graph'
import { readListFile, report } from '../data/listfile'
import { imported, type useScores } from './scores'

/** `read`: add a file to the list. `failure`: what was wrong with the last one. `reading`: whether one is being read. */
export function useListFiles(graph: AnimeGraph, change: ReturnType<typeof useScores>['change']) {
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
        const found = await readListFile(file)
        const onMap = [...found.scores.keys()].filter((id) => graph.byId.has(id)).length
        const name = found.user ? `The list of ${found.user}` : 'The list'
        change((list) => imported(list, found), `${name}: ${report(found, onMap)}`)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        setFailure(error.message)
      } finally {
        setReading((files) => files - 1)
        done()
      }
    },
    [graph, change],
  )
  return { failure, reading: reading > 0, read, setFailure }
}

export type ListFiles = ReturnType<typeof useListFiles>
