/** Search as a combobox: arrows and Enter choose, Escape clears, `/` focuses it from anywhere. */
import { useEffect, useId, useMemo, useRef, useState } from 'react'
import type { Anime } from '../data/graph'
import { animeAddress, groupAddress } from '../data/route'
import { type Found, type Group, type SearchIndex, search } from '../data/search'
import { Cover, Facts, titleCount } from './parts'

/** Focus a field when the user presses `/` outside of any field. */
function useSlash(field: React.RefObject<HTMLInputElement | null>) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const writing = (event.target as HTMLElement).matches(
        'input:not([type=radio], [type=checkbox]), select, textarea',
      )
      if (event.key !== '/' || writing || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      field.current!.focus()
      field.current!.select()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [field])
}

/** Text, results, and the active result of the search. */
function useSearch(index: () => SearchIndex) {
  const [text, setText] = useState('')
  const [active, setActive] = useState(0)
  const found = useMemo(() => (text.trim() ? search(index(), text) : []), [index, text])
  const type = (next: string) => {
    setText(next)
    setActive(0)
  }
  const step = (by: number) => setActive((active + by + found.length) % found.length)
  return { text, type, found, active, setActive, step }
}

interface Props {
  index: () => SearchIndex
  onOpen(address: string, trail?: number[]): void
}

const keyOf = (found: Found) => ('anime' in found ? animeAddress(found.anime.id) : groupAddress(found.group))

export function SearchBox({ index, onOpen }: Props) {
  const { text, type, found, active, setActive, step } = useSearch(index)
  const [focused, setFocused] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const listId = useId()
  const open = focused && text.trim() !== ''
  useSlash(field)

  const choose = (chosen: Found) => {
    type('')
    field.current!.blur()
    onOpen(keyOf(chosen), 'anime' in chosen ? [chosen.anime.id] : [])
  }
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') type('')
    else if (found.length === 0) return
    else if (event.key === 'ArrowDown') step(1)
    else if (event.key === 'ArrowUp') step(-1)
    else if (event.key === 'Enter') choose(found[active])
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <search className="search">
      <input
        ref={field}
        type="text"
        value={text}
        placeholder="Title, studio or genre"
        aria-label="Search a title, a studio or a genre"
        role="combobox"
        aria-expanded={open && found.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={open && found[active] ? `${listId}-${active}` : undefined}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
        maxLength={200}
        onChange={(event) => type(event.target.value)}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onKeyDown={onKeyDown}
      />
      {!text && <kbd>/</kbd>}
      {open && found.length > 0 && (
        <Results id={listId} found={found} active={active} onActive={setActive} onChoose={choose} />
      )}
      {open && found.length === 0 && (
        <p className="nothing">Nothing on this map is called “{text.trim()}”.</p>
      )}
      <span className="visually-hidden" role="status">
        {open ? `${found.length} found` : ''}
      </span>
    </search>
  )
}

interface ResultProps {
  id: string
  found: Found[]
  active: number
  onActive(index: number): void
  onChoose(found: Found): void
}

function Results({ id, found, active, onActive, onChoose }: ResultProps) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    list.current!.children[active]?.scrollIntoView({ block: 'nearest' })
  }, [active])
  return (
    <div id={id} ref={list} className="results" role="listbox" aria-label="Found">
      {found.map((entry, k) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keyboard
        <div
          key={keyOf(entry)}
          id={`${id}-${k}`}
          role="option"
          tabIndex={-1}
          aria-selected={k === active}
          onPointerMove={() => onActive(k)}
          // The field keeps the focus.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onChoose(entry)}
        >
          {'anime' in entry ? <TitleFound anime={entry.anime} /> : <GroupFound group={entry.group} />}
        </div>
      ))}
    </div>
  )
}

const TitleFound = ({ anime }: { anime: Anime }) => (
  <>
    <Cover anime={anime} width={32} />
    <span className="title-text">
      <span className="title-name">{anime.title}</span>
      {anime.english && <span className="title-english">{anime.english}</span>}
      <Facts anime={anime} />
    </span>
  </>
)

const GroupFound = ({ group }: { group: Group }) => (
  <span className="title-text">
    <span className="title-name">{group.name}</span>
    <span className="facts">
      {group.kind === 'studio' ? 'Studio' : 'Genre'}, {titleCount(group.anime.length)}
    </span>
  </span>
)
