/** The titles of a studio or a genre, the most popular first. */
import { useState } from 'react'
import type { Group } from '../data/search'
import { PanelHead, TitleRow, titleCount } from './parts'

const STEP = 60

interface Props {
  group: Group
  onOpen(id: number): void
  onClose(): void
}

export function GroupPanel({ group: { kind, name, anime }, onOpen, onClose }: Props) {
  const [shown, setShown] = useState(STEP)
  return (
    <>
      <PanelHead title={name} onClose={onClose} />
      <p className="facts">
        {kind === 'studio' ? 'Studio' : 'Genre'}, {titleCount(anime.length)} on this map
      </p>
      <ol className="titles">
        {anime.slice(0, shown).map((entry) => (
          <TitleRow key={entry.id} anime={entry} onOpen={onOpen} />
        ))}
      </ol>
      {anime.length > shown && (
        <p>
          <button type="button" className="quiet" onClick={() => setShown(shown + STEP)}>
            Show more
          </button>
        </p>
      )}
    </>
  )
}
