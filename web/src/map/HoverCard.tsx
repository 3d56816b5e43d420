/** What is known of the title under the pointer, beside its mark. */
import type { Anime } from '../graph'
import { Cover, Dot, Facts } from '../parts'
import type { Mark } from './geometry'

interface Props {
  anime: Anime
  mark: Mark
  /** Marks of the neighbours, which the card avoids. */
  near: Mark[]
  /** Size of the map. */
  width: number
  height: number
}

/** Width of the card with its margins, and half the height that matters, in pixels. */
const REACH = 340
const HALF_HEIGHT = 120

export function HoverCard({ anime, mark, near, width, height }: Props) {
  const nearOn = (side: number) =>
    near.filter(({ x, y }) => {
      const distance = (x - mark.x) * side
      return distance > 0 && distance < REACH && Math.abs(y - mark.y) < HALF_HEIGHT
    }).length
  const onLeft = mark.x > width - REACH || (mark.x > REACH && nearOn(1) > nearOn(-1))
  const horizontal = onLeft
    ? { right: width - mark.x + mark.radius + 14 }
    : { left: mark.x + mark.radius + 14 }
  const vertical =
    mark.y < height / 2 ? { top: Math.max(12, mark.y - 30) } : { bottom: Math.max(12, height - mark.y - 30) }
  return (
    <div className="hover-card" style={{ ...horizontal, ...vertical }}>
      <Cover anime={anime} width={64} />
      <div>
        <strong>{anime.title}</strong>
        {anime.english && <div>{anime.english}</div>}
        <Facts anime={anime} />
        <div className="cluster-line">
          <Dot color={anime.cluster.color} />
          {anime.cluster.name}
        </div>
      </div>
    </div>
  )
}
