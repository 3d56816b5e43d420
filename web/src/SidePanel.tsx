/** The panel beside the map: a title, the user's scores, or that the address is not known. */
import type { Walk } from './Explorer'
import type { AnimeGraph } from './graph'
import { PanelHead } from './parts'
import { animeAddress } from './route'
import { ScoresPanel } from './ScoresPanel'
import type { useScores } from './scores'
import { TitlePanel } from './TitlePanel'

interface Props {
  ref: React.Ref<HTMLElement>
  graph: AnimeGraph
  walk: Walk
  scores: ReturnType<typeof useScores>
  dropped: File | null
}

export function SidePanel({ ref, graph, walk, scores, dropped }: Props) {
  const { route, selected, trail, close } = walk
  const onScore = (score: number | null) => {
    const next = new Map(scores.scores)
    if (score === null) next.delete(selected!.id)
    else next.set(selected!.id, score)
    scores.change(next)
  }
  if (selected)
    return (
      <section ref={ref} className="panel" aria-label="Title">
        <TitlePanel
          graph={graph}
          anime={selected}
          trail={trail}
          score={scores.scores.get(selected.id)}
          onScore={onScore}
          onWalk={walk.walk}
          onClose={close}
          onReturn={(step) => walk.goTo(animeAddress(trail[step]), trail.slice(0, step + 1))}
        />
      </section>
    )
  if (route.page === 'scores')
    return (
      <section ref={ref} className="panel" aria-label="Your scores">
        <ScoresPanel graph={graph} {...scores} onOpen={walk.begin} onClose={close} dropped={dropped} />
      </section>
    )
  return (
    <section ref={ref} className="panel" aria-label="Not found">
      <PanelHead title="Not found" onClose={close} />
      <p role="alert" className="message bad">
        {route.page === 'anime'
          ? `This map has no title with the id ${route.id}.`
          : `This page does not know the address ${route.page === 'unknown' ? route.address : ''}.`}{' '}
        Search for a title instead.
      </p>
    </section>
  )
}
