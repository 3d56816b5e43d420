/** What is known of the title under the pointer, beside its mark. */
import type { Anime } from '../data/graph'
import { Cover, Dot, Facts } from '../panels/parts'
import type { FreeArea, Mark } from './geometry'

interface Props {
  anime: Anime
  mark: Mark
  /** The nearest titles, the most similar first, and the marks of all neighbours, which the card avoids. */
  nearest: Anime[]
  near: Mark[]
  free: FreeArea
}

/** Width of the card with its margins, and half the height that matters, in pixels. */
const REACH = 340
const HALF_HEIGHT = 120
/** Nearest titles that the card names. */
const NAMED = 3

/** Return where the card stands: beside the mark, where nothing lies over the map. */
function placeOf(mark: Mark, near: Mark[], { x, y, width, height, stage }: FreeArea): React.CSSProperties {
  const [left, right, top, bottom] = [x - width / 2, x + width / 2, y - height / 2, y + height / 2]
  const nearOn = (side: number) =>
    near.filter((other) => {
      const distance = (other.x - mark.x) * side
      return distance > 0 && distance < REACH && Math.abs(other.y - mark.y) < HALF_HEIGHT
    }).length
  const onLeft = mark.x > right - REACH || (mark.x - left > REACH && nearOn(1) > nearOn(-1))
  const beside = mark.radius + 14
  const horizontal = onLeft
    ? { right: Math.max(stage.width - mark.x + beside, stage.width - right + 12) }
    : { left: Math.max(mark.x + beside, left + 12) }
  const vertical =
    mark.y < (top + bottom) / 2
      ? { top: Math.max(top + 12, mark.y - 30) }
      : { bottom: Math.max(stage.height - bottom + 12, stage.height - mark.y - 30) }
  return { ...horizontal, ...vertical }
}

export function HoverCard({ anime, mark, nearest, near, free }: Props) {
  return (
    <div className="hover-card" style={placeOf(mark, near, free)}>
      <Cover anime={anime} width={64} />
      <div>
        <strong>{anime.title}</strong>
        {anime.english && <div>{anime.english}</div>}
        <Facts anime={anime} />
        <div className="cluster-line">
          <Dot color={anime.cluster.color} />
          {anime.cluster.name}
        </div>
        {nearest.length > 0 && (
          <div className="nearest">
            Nearest:
            <ol>
              {nearest.slice(0, NAMED).map(({ id, title }) => (
                <li key={id}>{title}</li>
              ))}
            </ol>
          </div>
        )}
      </div>
    </div>
  )
}
