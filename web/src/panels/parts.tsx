/** Small pieces that several panels show. */
import { useEffect, useRef, useState } from 'react'
import type { ThemeColor } from '../data/colors'
import type { Anime } from '../data/graph'
import { animeAddress } from '../data/route'
import { useSheet } from './useSheet'

export const titleCount = (count: number) =>
  `${count.toLocaleString('en')} ${count === 1 ? 'title' : 'titles'}`

/** Both colours as CSS variables; the style sheet takes the one of its theme. */
export const colorVariables = ({ light, dark }: ThemeColor) =>
  ({ '--light': light, '--dark': dark }) as React.CSSProperties

export const Dot = ({ color }: { color: ThemeColor }) => <i className="dot" style={colorVariables(color)} />

/** The cover, or a coloured card with the title's first letter where there is none. */
export function Cover({ anime, width }: { anime: Anime; width: number }) {
  const [failed, setFailed] = useState<string | null>(null)
  const style = { '--width': `${width}px` } as React.CSSProperties
  if (!anime.picture || failed === anime.picture)
    return (
      <span
        className="cover no-cover"
        style={{ ...style, ...colorVariables(anime.cluster.color) }}
        aria-hidden="true"
      >
        {[...anime.title][0]}
      </span>
    )
  return (
    <img
      className="cover"
      style={style}
      src={anime.picture}
      alt=""
      loading="lazy"
      decoding="async"
      referrerPolicy="no-referrer"
      onError={() => setFailed(anime.picture)}
    />
  )
}

const MEDIA_TYPES: Record<string, string> = {
  tv: 'TV',
  ova: 'OVA',
  ona: 'ONA',
  movie: 'Film',
  special: 'Special',
  tv_special: 'TV special',
  music: 'Music',
  cm: 'Advert',
  pv: 'Trailer',
}
export const mediaTypeName = (type: string) => MEDIA_TYPES[type] ?? type

/** Year, type, mean score and studios in one line, as far as they are known. */
export function Facts({ anime }: { anime: Anime }) {
  const facts = [
    anime.year,
    anime.media_type && mediaTypeName(anime.media_type),
    anime.mean !== null && `★ ${anime.mean.toFixed(2)}`,
    anime.studios.join(', '),
  ].filter(Boolean)
  return <span className="facts">{facts.join(' · ')}</span>
}

interface RowProps {
  anime: Anime
  onOpen(id: number): void
  children?: React.ReactNode
  note?: React.ReactNode
  /** Below the link. */
  below?: React.ReactNode
}

/** One title in a list: cover, titles, facts; a link, so that it can be opened in another tab too. */
export function TitleRow({ anime, onOpen, children, note, below }: RowProps) {
  const open = (event: React.MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    onOpen(anime.id)
  }
  return (
    <li className="title-row">
      <a href={animeAddress(anime.id)} onClick={open}>
        <Cover anime={anime} width={44} />
        <span className="title-text">
          <span className="title-name">
            <Dot color={anime.cluster.color} />
            {anime.title}
          </span>
          {anime.english && <span className="title-english">{anime.english}</span>}
          {note ?? <Facts anime={anime} />}
        </span>
        {children}
      </a>
      {below}
    </li>
  )
}

/** Title of a panel, which takes the focus, and the button that closes it; both stay in sight. */
export function PanelHead({ title, onClose }: { title: string; onClose(): void }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    heading.current!.focus({ preventScroll: true })
    heading.current!.closest('.panel')!.scrollTop = 0
  }, [])
  const sheet = useSheet()
  return (
    <div className="panel-head" {...sheet.head}>
      <button
        type="button"
        className="handle"
        onClick={sheet.step}
        aria-label="Change the height of the panel"
      />
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <button type="button" className="close" onClick={onClose} aria-label="Close">
        ×
      </button>
    </div>
  )
}

/** Similarity as a number and a bar. */
export function Similarity({ value }: { value: number }) {
  return (
    <span className="similarity">
      <span className="visually-hidden">similarity </span>
      {value.toFixed(2)}
      <span className="bar" aria-hidden="true">
        <span style={{ width: `${Math.max(0, value) * 100}%` }} />
      </span>
    </span>
  )
}

/** Shown while the worker is busy; the style sheet keeps it hidden at first, so that short work shows none. */
export const Computing = () => (
  <p role="status" className="computing">
    <progress /> Computing recommendations; with thousands of scores this takes some seconds…
  </p>
)

interface StarsProps {
  /** 0: on the list without a score; undefined: not on it. */
  score: number | undefined
  onScore(score: number): void
}

/** Ten stars as radio buttons. */
export function Stars({ score, onScore }: StarsProps) {
  const [preview, setPreview] = useState(0)
  return (
    <fieldset className="stars" onMouseLeave={() => setPreview(0)}>
      <legend>
        Your score{score ? <strong> {score}</strong> : score === 0 ? ': on your list, without a score' : ''}
      </legend>
      <span className="star-row">
        {Array.from({ length: 10 }, (_, k) => k + 1).map((value) => (
          <label
            key={value}
            className={preview ? (value <= preview ? 'preview' : '') : value <= (score ?? 0) ? 'lit' : ''}
            // Not onMouseEnter: the stars may appear under a mouse that rests.
            onMouseMove={({ movementX, movementY }) => {
              if (movementX || movementY) setPreview(value)
            }}
            title={`${value} of 10`}
          >
            <input
              type="radio"
              name="score"
              checked={score === value}
              onChange={() => onScore(value)}
              aria-label={`${value} of 10`}
            />
            <span aria-hidden="true">★</span>
          </label>
        ))}
      </span>
    </fieldset>
  )
}
