/** What the user's list draws at a disc: a ring for a score, dots for a plan, a diamond for a recommendation. */
import { scoreColor } from '../data/coloring'
import type { OwnMark } from '../taste/useOwnList'
import { clamp, type Mark } from './geometry'
import type { View } from './view'

/** Of rings, in pixels. */
const THICKNESS = 2.5
/** Pixels that a ring adds to the radius of a disc. */
export const RING = THICKNESS + 1.5
const DOTS = [0.1, 4]
/** Half the size of a diamond, in pixels. */
const MIN_DIAMOND = 3.5
const MAX_DIAMOND = 5

function drawRing(context: CanvasRenderingContext2D, { x, y, radius }: Mark) {
  context.beginPath()
  context.arc(x, y, radius + THICKNESS / 2 + 1.5, 0, 2 * Math.PI)
  context.lineWidth = THICKNESS
  context.stroke()
}

/** Draw a diamond at the upper right of a disc. */
function drawDiamond(context: CanvasRenderingContext2D, mark: Mark, background: string) {
  const size = clamp(mark.radius / 2, MIN_DIAMOND, MAX_DIAMOND)
  const away = (mark.radius + size) * Math.SQRT1_2
  const x = mark.x + away
  const y = mark.y - away
  context.beginPath()
  context.moveTo(x, y - size)
  context.lineTo(x + size, y)
  context.lineTo(x, y + size)
  context.lineTo(x - size, y)
  context.closePath()
  context.strokeStyle = background
  context.lineWidth = 1.5
  context.stroke()
  context.fill()
}

export function drawOwnMark(
  context: CanvasRenderingContext2D,
  mark: Mark,
  { score, planned, recommended }: OwnMark,
  { theme, text, accent, background }: View['colors'],
) {
  context.save()
  if (score > 0) {
    context.strokeStyle = scoreColor(score)[theme]
    drawRing(context, mark)
  } else if (planned) {
    context.strokeStyle = text
    context.lineCap = 'round'
    context.setLineDash(DOTS)
    drawRing(context, mark)
    context.setLineDash([])
  }
  if (recommended) {
    context.fillStyle = accent
    drawDiamond(context, mark, background)
  }
  context.restore()
}
