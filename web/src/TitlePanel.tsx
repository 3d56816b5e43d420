/** One title: what is known of it, the user's score, the ten nearest, the way so far. */
import { useEffect, useRef } from 'react'
import { type Anime, type AnimeGraph, malAddress } from './graph'
import { Cover, Dot, mediaTypeName, PanelHead, Similarity, Stars, TitleRow } from './parts'

interface Props {
  graph: AnimeGraph
  anime: Anime
  trail: number[]
  score: number | undefined
  onScore(score: number | null): void
  /** Walk on to a neighbour. */
  onWalk(id: number): void
  /** Go back to a title on the way, by its place in the trail. */
  onReturn(position: number): void
  onClose(): void
}

export function TitlePanel({ graph, anime, trail, score, onScore, onWalk, onReturn, onClose }: Props) {
  const way = useRef<HTMLOListElement>(null)
  useEffect(() => {
    // The end of a long way is where one is.
    way.current?.scrollTo(way.current.scrollWidth, way.current.scrollHeight)
  }, [anime])
  const near = graph.neighbours.get(anime.id)!
  const facts: [string, React.ReactNode][] = [
    ['Mean score', anime.mean?.toFixed(2)],
    ['Year', anime.year],
    ['Kind', anime.mediaType && mediaTypeName(anime.mediaType)],
    ['Popularity', anime.popularity && `#${anime.popularity.toLocaleString('en')}`],
    [anime.studios.length > 1 ? 'Studios' : 'Studio', anime.studios.join(', ')],
    ['Genres', anime.genres.join(', ')],
  ]
  return (
    <>
      <PanelHead key={anime.id} title={anime.title} onClose={onClose} />
      {trail.length > 1 && (
        <nav className="trail" aria-label="The way so far">
          <ol ref={way}>
            {trail.map((id, k) => (
              <li key={k}>
                {k < trail.length - 1 ? (
                  <button type="button" onClick={() => onReturn(k)}>
                    {graph.byId.get(id)!.title}
                  </button>
                ) : (
                  <span aria-current="page">{anime.title}</span>
                )}
              </li>
            ))}
          </ol>
        </nav>
      )}
      <div className="title-head">
        <Cover anime={anime} width={112} />
        <div>
          {anime.english && <p className="title-english">{anime.english}</p>}
          <p className="cluster-line">
            <Dot cluster={anime.cluster} />
            {anime.cluster.name}
          </p>
          <p className="elsewhere">
            <a href={malAddress(anime.id)} target="_blank" rel="noopener noreferrer">
              On MyAnimeList<span aria-hidden="true"> ↗</span>
              <span className="visually-hidden"> (opens a new tab)</span>
            </a>
          </p>
        </div>
      </div>
      <dl className="fact-list">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name} className={name.startsWith('Studio') || name === 'Genres' ? 'whole-line' : ''}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      <Stars score={score} onScore={onScore} />
      <h3>Nearest titles</h3>
      {near.length === 0 ? (
        <p>The file names no neighbours of this title.</p>
      ) : (
        <ol className="titles">
          {near.map(({ id, similarity }) => (
            <TitleRow key={id} anime={graph.byId.get(id)!} onOpen={onWalk}>
              <Similarity value={similarity} />
            </TitleRow>
          ))}
        </ol>
      )}
    </>
  )
}
