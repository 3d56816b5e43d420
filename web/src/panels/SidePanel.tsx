/** The panel beside the map: a title, the user's scores, or that the address is not known. */

import type { AnimeGraph } from '../data/graph'
import { animeAddress } from '../data/route'
import type { Walk } from '../Explorer'
import { rated, toggled, type useScores } from '../taste/scores'
import type { ListFiles } from '../taste/useListFiles'
import type { Recommended } from '../taste/useRecommendations'
import type { SharedList } from '../taste/useSharedList'
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
  shared: SharedList | null
  files: ListFiles
  friendFile: ListFiles
}

export function SidePanel({ ref, graph, walk, scores, recommended, shared, files, friendFile }: Props) {
  const { route, selected, trail, close } = walk
  const onScore = (score: number | null) => {
    const { id, title } = selected!
    const text = score === null ? `${title} was removed from your list.` : `You gave ${title} a ${score}.`
    scores.change((list) => rated(list, id, score), text)
  }
  const onUnwanted = () => {
    const { id, title } = selected!
    const text = scores.list.unwanted.has(id)
      ? `${title} can be recommended again.`
      : `${title} is no longer recommended.`
    scores.change((list) => toggled(list, 'unwanted', id), text)
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
          shared={shared}
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
          {...{ graph, recommended, shared, files, friendFile }}
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
  return `There is no page at the address ${route.page === 'unknown' ? route.address : ''}.`
}
