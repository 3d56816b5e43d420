/** The map as a PNG. */
import type Sigma from 'sigma'

const MARGIN = 12
const FONT = '13px system-ui, sans-serif'

/** Return whether the page may read a layer: one with covers of a host that does not allow it is not read. */
function isReadable(layer: HTMLCanvasElement): boolean {
  try {
    return layer.getContext('2d')!.getImageData(0, 0, 1, 1).width === 1
  } catch {
    return false
  }
}

/** Return a picture of what the map shows, with a line of text at the bottom. */
export async function makePicture(sigma: Sigma, background: string, text: string, caption: string) {
  // A WebGL canvas can be read only in the task that drew it.
  sigma.refresh()
  const { edgeLabels, nodes, covers, labels } = sigma.getCanvases()
  const layers = [edgeLabels, nodes, ...(isReadable(covers) ? [covers] : []), labels]
  const { width, height } = labels
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d')!
  context.fillStyle = background
  context.fillRect(0, 0, width, height)
  for (const layer of layers) context.drawImage(layer, 0, 0, width, height)
  const scale = width / sigma.getDimensions().width
  context.scale(scale, scale)
  context.font = FONT
  context.fillStyle = text
  context.fillText(caption, MARGIN, height / scale - MARGIN)
  return canvas.convertToBlob({ type: 'image/png' })
}
