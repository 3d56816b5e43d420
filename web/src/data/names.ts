/** The graph with the titles in the language that the user chose, or in which the map was drawn. */
import type { AnimeGraph } from './graph'
import type { Settings } from './settings'

/** Return the graph with English titles first, where there are any; `english` is then the other title. */
export function named(graph: AnimeGraph, names: Settings['names']): AnimeGraph {
  if ((names ?? graph.language) === 'romaji') return graph
  const anime = graph.anime.map((entry) =>
    entry.english === null
      ? entry
      : { ...entry, title: entry.english, english: entry.title, label: entry.label_english },
  )
  return { ...graph, anime, byId: new Map(anime.map((entry) => [entry.id, entry])) }
}
