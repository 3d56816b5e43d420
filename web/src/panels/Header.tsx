/** Name, search, and the buttons that switch parts of the page. */

import type { SearchIndex } from '../data/search'
import type { Walk } from '../Explorer'
import { SearchBox } from './SearchBox'
import type { Theme } from './theme'

interface Switch {
  shown: boolean
  toggle(): void
}

interface Props {
  ref: React.Ref<HTMLElement>
  index: () => SearchIndex
  walk: Walk
  theme: Theme
  scoredCount: number
  /** Whether the scores are those of somebody else. */
  isShared: boolean
  /** The list of titles, or null where there is nothing but the list. */
  list: Switch | null
  legend: Switch
}

export function Header({ ref, index, walk, theme, scoredCount, isShared, list, legend }: Props) {
  const { route, goTo, close, openScores } = walk
  const onScores = route.page === 'scores'
  return (
    <header ref={ref}>
      <h1>
        <a href="#/">AniEmbed</a>
      </h1>
      <SearchBox index={index} onOpen={goTo} />
      <div className="tools">
        {list && (
          <button type="button" aria-pressed={list.shown} onClick={list.toggle}>
            List
          </button>
        )}
        <button type="button" aria-expanded={legend.shown} onClick={legend.toggle}>
          View
        </button>
        <button type="button" aria-pressed={onScores} onClick={onScores ? close : openScores}>
          {isShared ? 'Shared scores' : 'Your scores'}
          {scoredCount > 0 && <span className="badge">{scoredCount.toLocaleString('en')}</span>}
        </button>
        <button
          type="button"
          onClick={theme.next}
          aria-label={`Colours: ${theme.name}`}
          title={`Colours: ${theme.name}`}
        >
          {theme.sign}
        </button>
      </div>
    </header>
  )
}
