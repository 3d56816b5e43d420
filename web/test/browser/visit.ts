/**
 * What the browser tests share: a browser, a host of the built page, a host of covers, and what a person
 * does.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { launch, serve, serveCovers } from '../harness.mjs'
import { makeGraph } from '../random-graph.mjs'

export const WIDE = { viewport: { width: 1440, height: 900 } }
export const PHONE = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
}
export const LYING = { ...PHONE, viewport: { width: 844, height: 390 } }

/** For pages that are opened from file://. */
export const directory = mkdtempSync(join(tmpdir(), 'aniembed-'))
export let browser: Browser
export let covers: Awaited<ReturnType<typeof serveCovers>>
export let host: Awaited<ReturnType<typeof serve>>
/** Errors of the page, and its requests to hosts other than its own and that of the covers. */
export let wrongs: string[]
export let page: Page

beforeAll(async () => {
  browser = await launch()
  covers = await serveCovers()
})
afterAll(async () => {
  await browser.close()
  await covers.close()
  rmSync(directory, { recursive: true })
})
beforeEach(async () => {
  const graph = JSON.stringify(makeGraph(300, { covers: covers.address }))
  host = await serve({ 'graph.json': graph }, { covers: covers.address })
  covers.asked.length = 0
  wrongs = []
})
afterEach(async () => {
  await page.context().close()
  await host.close()
})

export async function newPage(options: BrowserContextOptions = WIDE, from = browser) {
  page = await (await from.newContext(options)).newPage()
  page.on('pageerror', (error) => wrongs.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') wrongs.push(message.text())
  })
  page.on('request', (request) => {
    const address = request.url()
    const own = [host.address, covers.address, pathToFileURL(directory).href, 'blob:', 'data:']
    if (!own.some((start) => address.startsWith(start))) wrongs.push(address)
  })
  page.setDefaultTimeout(10_000)
}

export const interactive = () =>
  page.waitForFunction(() => performance.getEntriesByName('interactive').length > 0)

export async function open(hash = '', options: BrowserContextOptions = WIDE) {
  await newPage(options)
  await page.goto(host.address + hash)
  await interactive()
}

/** Serve the page with other headers, or without any graph but the built one. */
export async function serveAgain(...options: Parameters<typeof serve>) {
  await host.close()
  host = await serve(...options)
}

export const heading = () => page.locator('.panel h2').innerText()
export const settled = () => page.waitForTimeout(1000) // a flight takes 0.7 s
export const hash = () => new URL(page.url()).hash

/** What the screen shows at a point, and in the middle of a box: red, green, blue. */
export async function colors(
  point: { x: number; y: number },
  box: { x: number; y: number; width: number; height: number },
) {
  const picture = (await page.screenshot({ scale: 'css' })).toString('base64')
  return page.evaluate(
    async ({ picture, points }) => {
      const image = new Image()
      image.src = `data:image/png;base64,${picture}`
      await image.decode()
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d')!
      context.drawImage(image, 0, 0)
      return points.map(({ x, y }) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)])
    },
    { picture, points: [point, { x: box.x + box.width / 2, y: box.y + box.height / 2 }] },
  )
}

export interface Drawn {
  /** `box`: left, right, top, bottom. */
  texts: { text: string; box: number[] }[]
  rings: { x: number; y: number }[]
  /** Where lines below the marks end. */
  ends: { x: number; y: number }[]
  /** Lines from marks to their names: x and y of both ends. */
  leaders: number[][]
}

/** From the next page on, record what the last frame draws besides marks; in pixels. */
export const recordDrawing = () =>
  page.addInitScript(() => {
    const drawn: Drawn = { texts: [], rings: [], ends: [], leaders: [] }
    let start = [0, 0]
    Object.assign(window, { drawn })
    const { clearRect, fillText, arc, moveTo, lineTo } = CanvasRenderingContext2D.prototype
    Object.assign(CanvasRenderingContext2D.prototype, {
      clearRect(this: CanvasRenderingContext2D, ...area: Parameters<typeof clearRect>) {
        if (this.canvas.className === 'sigma-labels') for (const list of Object.values(drawn)) list.length = 0
        clearRect.apply(this, area)
      },
      fillText(this: CanvasRenderingContext2D, text: string, x: number, y: number) {
        const {
          actualBoundingBoxLeft: left,
          actualBoundingBoxRight: right,
          actualBoundingBoxAscent: up,
          actualBoundingBoxDescent: down,
        } = this.measureText(text)
        drawn.texts.push({ text, box: [x - left, x + right, y - up, y + down] })
        fillText.call(this, text, x, y)
      },
      arc(this: CanvasRenderingContext2D, ...circle: Parameters<typeof arc>) {
        drawn.rings.push({ x: circle[0], y: circle[1] })
        arc.apply(this, circle)
      },
      moveTo(this: CanvasRenderingContext2D, x: number, y: number) {
        start = [x, y]
        moveTo.call(this, x, y)
      },
      lineTo(this: CanvasRenderingContext2D, x: number, y: number) {
        if (this.canvas.className === 'sigma-labels') drawn.leaders.push([...start, x, y])
        else drawn.ends.push({ x, y })
        lineTo.call(this, x, y)
      },
    })
  })
export const drawn = () => page.evaluate(() => (window as unknown as { drawn: Drawn }).drawn)

/** The discs on the screen, as sigma draws them: MAL id, middle and radius in pixels. */
export const discs = () =>
  page.evaluate(() => {
    interface Fiber {
      return: Fiber | null
      // biome-ignore lint/suspicious/noExplicitAny: React's own
      memoizedProps: any
    }
    const element = document.querySelector('.map-keys')!
    const key = Object.keys(element).find((name) => name.startsWith('__reactFiber'))!
    let fiber = (element as unknown as Record<string, Fiber>)[key]
    while (!fiber.memoizedProps?.value?.sigma) fiber = fiber.return!
    const { sigma } = fiber.memoizedProps.value
    return (sigma.getGraph().nodes() as string[]).map((node) => {
      const data = sigma.getNodeDisplayData(node)
      const { x, y } = sigma.framedGraphToViewport(data)
      return {
        id: Number(node),
        x: x as number,
        y: y as number,
        radius: sigma.scaleSize(data.size) as number,
      }
    })
  })

/** The part of the map that nothing covers, in pixels. */
export async function freePart() {
  const { width, height } = page.viewportSize()!
  const part = { left: 0, right: width, top: 0, bottom: height }
  const header = (await page.locator('header').boundingBox())!
  part.top = header.y + header.height
  for (const box of await page.locator('.panel, .legend-box, .tools').all()) {
    const { x, y, width: wide } = (await box.boundingBox())!
    if (y > 0 && y < part.top) continue // the tools in the header
    if (wide > width * 0.8) part.bottom = Math.min(part.bottom, y)
    else if (x > width / 2) part.right = x
    else part.left = x + wide
  }
  return { ...part, x: (part.left + part.right) / 2, y: (part.top + part.bottom) / 2 }
}

/** Three titles in a row from west to east. */
export function threeInARow() {
  const graph = makeGraph(3)
  graph.anime.forEach((entry, row) =>
    Object.assign(entry, { x: row, y: 0, title: ['West', 'Middle', 'East'][row] }),
  )
  graph.neighbours = {
    1: [[4, 0.5]],
    4: [
      [1, 0.5],
      [7, 0.4],
    ],
    7: [[4, 0.4]],
  }
  return JSON.stringify(graph)
}

export function dropFile(name: string, data: Buffer) {
  return page.evaluate(
    ({ name, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([bytes], name))
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
    },
    { name, base64: data.toString('base64') },
  )
}

export const exported = (scores: [number, number][]) =>
  '<?xml version="1.0"?><myanimelist><myinfo><user_name>fan</user_name></myinfo>' +
  scores
    .map(
      ([id, score]) =>
        `<anime><series_animedb_id>${id}</series_animedb_id><my_score>${score}</my_score></anime>`,
    )
    .join('') +
  '</myanimelist>'
