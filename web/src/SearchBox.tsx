/** Search as a combobox: arrows and Enter choose, Escape empties, `/` comes here from anywhere. */
import { useEffect, useId, useMemo, useRef, useState } from 'react'
import type { Anime } from './graph'
import { Cover, Facts } from './parts'
import { type SearchIndex, search } from './search'

export function SearchBox({ index, onOpen }: { index: SearchIndex; onOpen(id: number): void }) {
  const [text, setText] = useState('')
  const [active, setActive] = useState(0)
  const [open, setOpen] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const name = useId()
  const found = useMemo(() => search(index, text), [index, text])
  const asked = text.trim() !== ''

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
  }, [])

  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' })
  }, [active])

  const choose = (anime: Anime) => {
    setOpen(false)
    setText('')
    field.current!.blur()
    onOpen(anime.id)
  }
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'ArrowDown' && found.length) setActive((active + 1) % found.length)
    else if (event.key === 'ArrowUp' && found.length) setActive((active + found.length - 1) % found.length)
    else if (event.key === 'Enter' && found.length) choose(found[active])
    else if (event.key === 'Escape') setText('')
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div
      className="search"
      role="search"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false)
      }}
    >
      <input
        ref={field}
        type="text"
        value={text}
        placeholder="Search a title"
        aria-label="Search a title"
        role="combobox"
        aria-expanded={open && asked && found.length > 0}
        aria-controls={name}
        aria-autocomplete="list"
        aria-activedescendant={open && found[active] ? `${name}-${active}` : undefined}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
        maxLength={200}
        onChange={(event) => {
          setText(event.target.value)
          setActive(0)
          setOpen(true)
        }}
        onFocus={() => setOpen(true)}
        onKeyDown={onKeyDown}
      />
      {!text && <kbd aria-hidden="true">/</kbd>}
      {open && asked && found.length > 0 && (
        <ul id={name} ref={list} role="listbox" aria-label="Titles found">
          {found.map((anime, k) => (
            <li
              key={anime.id}
              id={`${name}-${k}`}
              role="option"
              aria-selected={k === active}
              onPointerMove={() => setActive(k)}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => choose(anime)}
            >
              <Cover anime={anime} width={32} />
              <span className="title-text">
                <span className="title-name">{anime.title}</span>
                {anime.english && <span className="title-english">{anime.english}</span>}
                <Facts anime={anime} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {open && asked && found.length === 0 && (
        <p className="nothing">No title on this map is called anything like “{text.trim()}”.</p>
      )}
      <span className="visually-hidden" role="status">
        {open && asked ? `${found.length} ${found.length === 1 ? 'title' : 'titles'} found` : ''}
      </span>
    </div>
  )
}
