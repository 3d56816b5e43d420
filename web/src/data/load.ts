/** Where the graph comes from: inside the page, beside it, or a file that the user chooses. */
import { FileError, readText, UNREADABLE } from './file'
import { type AnimeGraph, parseGraph } from './graph'

/** In bytes. 20,000 titles take about 13 MB, so every title of MyAnimeList fits. */
const MAX_GRAPH = 128 * 2 ** 20

/** Return the graph of this page. `onBytes` gets the number of bytes so far. Throws FileError. */
export async function loadGraph(onBytes: (bytes: number) => void): Promise<AnimeGraph> {
  const inside = document.getElementById('graph')
  const text = inside ? readInside(inside) : await fetchText('graph.json', onBytes)
  performance.mark('graph-arrived')
  return parseGraph(text)
}

function readInside(element: HTMLElement): string {
  const text = element.textContent.trim()
  if (text === '')
    throw new FileError(
      'This page has no graph inside. Run python3 embeddings.py and open output/explore.html.',
    )
  return text
}

async function fetchText(address: string, onBytes: (bytes: number) => void): Promise<string> {
  let response: Response
  try {
    // Where the host gives no expiry, a browser would show an old graph for months.
    response = await fetch(address, { cache: 'no-cache' })
  } catch {
    throw new FileError('graph.json could not be fetched: the host does not answer.')
  }
  if (response.status === 404)
    throw new FileError(
      'There is no graph.json beside this page. Run python3 embeddings.py and put output/graph.json there.',
    )
  if (!response.ok || !response.body)
    throw new FileError(`graph.json could not be fetched: the host answered ${response.status}.`)
  return readText(
    response.body,
    MAX_GRAPH,
    'The connection broke while graph.json was loading. Reload the page.',
    onBytes,
  )
}

/** Return the graph in a file that the user chose. Throws FileError. */
export async function readGraphFile(file: Blob): Promise<AnimeGraph> {
  return parseGraph(await readText(file.stream(), MAX_GRAPH, UNREADABLE))
}
