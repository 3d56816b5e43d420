/** Loads the graph; until then says how far it is, or why it cannot be shown. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { FileError } from './data/file'
import type { AnimeGraph } from './data/graph'
import { loadGraph, readGraphFile } from './data/load'
import { Explorer } from './Explorer'
import { useTheme } from './panels/theme'

export function App() {
  const theme = useTheme()
  const [graph, setGraph] = useState<AnimeGraph | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [bytes, setBytes] = useState(0)

  const newest = useRef<Promise<AnimeGraph>>(null)

  const open = useCallback(async (loading: Promise<AnimeGraph>) => {
    newest.current = loading
    try {
      const loaded = await loading
      // A file that was chosen later takes the place of one that is still being read.
      if (newest.current === loading) setGraph(loaded)
    } catch (problem) {
      if (!(problem instanceof FileError)) throw problem
      if (newest.current === loading) setError(problem.message)
    }
  }, [])
  useEffect(() => {
    void open(loadGraph(setBytes))
  }, [open])

  if (graph) return <Explorer graph={graph} theme={theme} />
  if (error !== null) return <ErrorPage error={error} onFile={(file) => void open(readGraphFile(file))} />
  return (
    <main className="state" aria-busy="true">
      <h1>AniEmbed</h1>
      <p role="status">Loading the map…</p>
      <p>{bytes > 0 ? `${(bytes / 1e6).toFixed(1)} MB` : '\u00a0'}</p>
    </main>
  )
}

function ErrorPage({ error, onFile }: { error: string; onFile(file: File): void }) {
  const onChange = ({ target }: React.ChangeEvent<HTMLInputElement>) => {
    const file = target.files?.[0]
    // Otherwise the same file, corrected, could not be chosen again.
    target.value = ''
    if (file) onFile(file)
  }
  return (
    <main className="state" role="alert">
      <h1>AniEmbed</h1>
      <p>{error}</p>
      <label className="file-button">
        Open a graph.json from this computer
        <input className="visually-hidden" type="file" accept=".json,application/json" onChange={onChange} />
      </label>
    </main>
  )
}
