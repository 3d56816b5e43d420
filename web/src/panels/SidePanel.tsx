/** The panel beside the map: a title, the user's scores, or that the address is not known. */

import type { AnimeGraph } from '../data/graph'
import { animeAddress } from '../data/route'
import type { Walk } from '../Explorer'
import { rated, toggled, type useScores } from '../taste/scores'
import type { ListFiles } from '../taste/useListFiles'
import type { Recommended } from '../taste/useRecommendations'
import type { SharedLink } from '../taste/useSharedList'
import { GroupPanel } from './GroupPanel'
import { PanelHead } from './parts'
import { ScoresPanel } from './ScoresPanel'
import { TitlePanel } from './TitlePanel'

interface Props {
  ref: React.Ref<HTMLElement>
  graph: AnimeGraph
  walk: Walk
  scores: ReturnType<typeof useScores>
  recommended: Recommended
  /** Where the scores are those of a link, what can be done with them. */
  link: SharedLink | null
  files: ListFiles
}

export function SidePanel({ ref, graph, walk, scores, recommended, link, files }: Props) {
  const { route, selected, trail, close } = walk
  const onScore = (score: number | null) => {
    const { id, title } = selected!
    const text = score === null ? `${title} is off your list.` : `${title} has the score ${score}.`
    scores.change(rated(scores.list, id, score), text)
  }
  const onUnwanted = () => {
    const { id, title } = selected!
    const unwanted = toggled(scores.list.unwanted, id)
    const text = unwanted.has(id)
      ? `${title} is not recommended any more.`
      : `${title} can be recommended again.`
    scores.change({ ...scores.list, unwanted }, text)
  }
  if (selected)
    return (
      <section ref={ref} className="panel" aria-label="Title">
        <TitlePanel
          graph={graph}
          anime={selected}
          trail={trail}
          score={scores.scores.get(selected.id)}
          list={scores.list}
          recommended={recommended}
          link={link}
          unwanted={scores.list.unwanted.has(selected.id)}
          onUnwanted={onUnwanted}
          onScore={onScore}
          onScores={walk.openScores}
          onWalk={walk.walk}
          onClose={close}
          onReturn={(step) => walk.goTo(animeAddress(trail[step]), trail.slice(0, step + 1))}
        />
      </section>
    )
  if (walk.group)
    return (
      <section ref={ref} className="panel" aria-label={walk.group.name}>
        <GroupPanel key={walk.group.name} group={walk.group} onOpen={walk.begin} onClose={close} />
      </section>
    )
  if (route.page === 'scores')
    return (
      <section ref={ref} className="panel" aria-label="Scores">
        <ScoresPanel
          {...scores}
          {...{ graph, recommended, link, files }}
          onOpen={walk.begin}
          onClose={close}
        />
      </section>
    )
  return (
    <section ref={ref} className="panel" aria-label="Not found">
      <PanelHead title="Not found" onClose={close} />
      <p role="alert" className="message bad">
        {whatIsMissing(route)} Search for a title instead.
      </p>
    </section>
  )
}

function whatIsMissing(route: Walk['route']): string {
  if (route.page === 'anime') return `This map has no title with the id ${route.id}.`
  if (route.page === 'group') return `This map has no titles of the ${route.kind} ${route.name}.`
  return `This page does not know the address ${route.page === 'unknown' ? route.address : ''}.`
}
