/** One title: its facts, the user's score, the nearest titles, the trail. */
import { useEffect, useRef, useState } from 'react'
import { type Anime, type AnimeGraph, malAddress } from '../data/graph'
import { groupAddress } from '../data/route'
import type { Group } from '../data/search'
import type { UserList } from '../taste/scores'
import { similarTo } from '../taste/similar'
import type { Recommended } from '../taste/useRecommendations'
import type { SharedList } from '../taste/useSharedList'
import { Explanation } from './Explanation'
import { Cover, Dot, mediaTypeName, PanelHead, Similarity, Stars, TitleRow } from './parts'

/** Titles that are listed near those of the trail. */
const NEAR_TRAIL = 10

interface Props {
  graph: AnimeGraph
  anime: Anime
  /** The titles on the way here; this one is the last. */
  trail: number[]
  score: number | undefined
  list: UserList
  recommended: Recommended
  shared: SharedList | null
  /** Whether the user is not interested. */
  unwanted: boolean
  onUnwanted(): void
  onScore(score: number | null): void
  /** Open the user's scores, with what they recommend. */
  onScores(): void
  /** Go on to a neighbour. */
  onWalk(id: number): void
  /** Go back to a title of the trail, by its index. */
  onReturn(step: number): void
  onClose(): void
}

export function TitlePanel({
  graph,
  anime,
  trail,
  score,
  list,
  recommended,
  shared,
  unwanted,
  onUnwanted,
  onScore,
  onScores,
  onWalk,
  onReturn,
  onClose,
}: Props) {
  const theirs = shared && !shared.together ? shared : null
  const near = graph.neighbours.get(anime.id)!
  const predicted = recommended.answer?.predicted?.get(anime.id)
  return (
    <>
      <PanelHead key={anime.id} title={anime.title} onClose={onClose} />
      {trail.length > 1 && <Trail graph={graph} trail={trail} onReturn={onReturn} />}
      {trail.length > 1 && <NearTrail key={String(trail)} graph={graph} trail={trail} onWalk={onWalk} />}
      <TitleHead anime={anime} />
      <ShortFacts anime={anime} />
      {theirs ? <SharedScore score={score} {...theirs} /> : <Stars score={score} onScore={onScore} />}
      <p className="likely">
        {!score && predicted !== undefined && (
          <span>
            {theirs ? 'Likely score' : 'You are likely to give'} <strong>{predicted.toFixed(1)}</strong>
          </span>
        )}
        {score === undefined && !theirs && (
          <button type="button" className="quiet" aria-pressed={unwanted} onClick={onUnwanted}>
            Not interested
          </button>
        )}
        {score !== undefined && !theirs && (
          <>
            <button type="button" onClick={onScores}>
              See recommendations
            </button>
            <button type="button" className="quiet" onClick={() => onScore(null)}>
              Remove
            </button>
          </>
        )}
      </p>
      {recommended.answer?.table && (
        <Explanation
          graph={graph}
          list={list}
          terms={recommended.explanation?.terms ?? null}
          onOpen={onWalk}
        />
      )}
      <h3>Nearest titles</h3>
      {near.length === 0 ? (
        <p>Nothing is known about what is near this title.</p>
      ) : (
        <ol className="titles">
          {near.map(({ id, similarity }) => (
            <TitleRow key={id} anime={graph.byId.get(id)!} onOpen={onWalk}>
              <Similarity value={similarity} />
            </TitleRow>
          ))}
        </ol>
      )}
      <LongFacts anime={anime} />
    </>
  )
}

/** The cover, and beside it the other names, the cluster and the link to MyAnimeList. */
const TitleHead = ({ anime }: { anime: Anime }) => (
  <div className="title-head">
    <Cover anime={anime} width={112} />
    <div>
      {anime.english && <p className="title-english">{anime.english}</p>}
      {anime.japanese && (
        <p className="title-japanese" lang="ja">
          {anime.japanese}
        </p>
      )}
      <p className="cluster-line">
        <Dot color={anime.cluster.color} />
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
)

/** The other person's score, in place of the user's stars. */
function SharedScore({ score, leave }: { score: number | undefined } & SharedList) {
  return (
    <p className="likely">
      <span>
        Shared score: <strong>{score || 'none'}</strong>
      </span>
      <button type="button" className="quiet" onClick={leave}>
        Back to mine
      </button>
    </p>
  )
}

function Trail({ graph, trail, onReturn }: Pick<Props, 'graph' | 'trail' | 'onReturn'>) {
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    list.current!.scrollTo(list.current!.scrollWidth, list.current!.scrollHeight)
  }, [trail])
  const steps = trail.map((id, step) => ({ step, title: graph.byId.get(id)!.title }))
  return (
    <nav className="trail" aria-label="Trail">
      <ol ref={list}>
        {steps.map(({ step, title }) => (
          <li key={step}>
            {step < trail.length - 1 ? (
              <button type="button" onClick={() => onReturn(step)}>
                {title}
              </button>
            ) : (
              <span aria-current="page">{title}</span>
            )}
          </li>
        ))}
      </ol>
    </nav>
  )
}

/** What is similar to all titles of the trail. */
function NearTrail({ graph, trail, onWalk }: Pick<Props, 'graph' | 'trail' | 'onWalk'>) {
  const [open, setOpen] = useState(false)
  const ids = [...new Set(trail)]
  return (
    <details open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Near these {ids.length} titles</summary>
      {open && (
        <ol className="titles">
          {similarTo(graph, ids, NEAR_TRAIL).map(({ id, similarity }) => (
            <TitleRow key={id} anime={graph.byId.get(id)!} onOpen={onWalk}>
              <Similarity value={similarity} />
            </TitleRow>
          ))}
        </ol>
      )}
    </details>
  )
}

/** Return the names as links to their titles, or null without any. */
const groupLinks = (kind: Group['kind'], names: string[]) =>
  names.length > 0 && (
    <span className="group-links">
      {[...new Set(names)].map((name) => (
        <a key={name} href={groupAddress({ kind, name })}>
          {name}
        </a>
      ))}
    </span>
  )

function ShortFacts({ anime }: { anime: Anime }) {
  const facts = {
    'Mean score': anime.mean?.toFixed(2),
    Year: anime.year,
    Type: anime.media_type && mediaTypeName(anime.media_type),
    Popularity: anime.popularity && `#${anime.popularity.toLocaleString('en')}`,
  }
  return (
    <dl className="fact-list">
      <Rows facts={facts} />
    </dl>
  )
}

/** Studios and genres, which lead to their other titles, and the other names. */
function LongFacts({ anime }: { anime: Anime }) {
  const facts = {
    [anime.studios.length > 1 ? 'Studios' : 'Studio']: groupLinks('studio', anime.studios),
    Genres: groupLinks('genre', anime.genres),
    'Also called': anime.synonyms.join(', '),
  }
  return (
    <dl className="fact-list long">
      <Rows facts={facts} />
    </dl>
  )
}

function Rows({ facts }: { facts: Record<string, React.ReactNode> }) {
  return Object.entries(facts)
    .filter(([, value]) => value)
    .map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))
}
