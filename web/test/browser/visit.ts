/**
 * What the browser tests share: a browser, the page from a host or (FROM=file) as a single file, a host of
 * covers, and what a person does.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type Sigma from 'sigma'
import { afterAll, afterEach, beforeAll, beforeEach, test } from 'vitest'
import { fillExplorer, launch, serve, serveCovers, withCoversOf } from '../harness.mjs'
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

declare global {
  interface Window {
    /** Return what draws the map, or null where there is none. */
    findSigma(): Sigma | null
  }
}

beforeAll(async () => {
  browser = await launch()
  covers = await serveCovers()
})
afterAll(async () => {
  await browser.close()
  await covers.close()
  rmSync(directory, { recursive: true })
})
/** A test of what does not depend on where the page comes from: it runs on the served one alone. */
export const testOnce = test.skipIf(process.env.FROM === 'file')

const EXPLORER = join(directory, 'explore.html')
export const EXPLORER_ADDRESS = pathToFileURL(EXPLORER).href

/** Write the single page with a graph inside, or without one. */
export const writeExplorer = (graph: object | null) =>
  writeFileSync(EXPLORER, withCoversOf(fillExplorer(graph), covers.address))

/** Return what stands for a host where the page is a file: its graph.json is written into the page. */
const fileHost = (): typeof host => ({
  address: EXPLORER_ADDRESS,
  files: {
    set 'graph.json'(text: string | Buffer) {
      writeExplorer(JSON.parse(String(text)))
    },
  },
  close: async () => {},
})

/** Let the host of covers allow other pages to read them, or not. */
export async function serveCoversAgain(cors: boolean) {
  await covers.close()
  covers = await serveCovers({ cors })
}

beforeEach(async () => {
  host = process.env.FROM === 'file' ? fileHost() : await serve({}, { covers: covers.address })
  host.files['graph.json'] = JSON.stringify(makeGraph(300, { covers: covers.address }))
  covers.asked.length = 0
  wrongs = []
})
afterEach(async () => {
  await page.context().close()
  await host.close()
})

export async function newPage(options: BrowserContextOptions = WIDE, from = browser) {
  // Without flights, nobody has to wait for them.
  page = await (await from.newContext({ reducedMotion: 'reduce', ...options })).newPage()
  await page.addInitScript(() => {
    // React keeps what it renders beside each element.
    window.findSigma = () => {
      const element = document.querySelector('.map-keys')
      // biome-ignore lint/suspicious/noExplicitAny: React's own
      let fiber: any = Object.entries(element ?? {}).find(([name]) => name.startsWith('__reactFiber'))?.[1]
      while (fiber && !fiber.memoizedProps?.value?.sigma) fiber = fiber.return
      return fiber?.memoizedProps.value.sigma ?? null
    }
  })
  page.on('pageerror', (error) => wrongs.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') wrongs.push(message.text())
  })
  page.on('request', (request) => {
    const address = request.url()
    const own = [host.address, covers.address, pathToFileURL(directory).href, 'blob:', 'data:']
    if (!own.some((start) => address.startsWith(start))) wrongs.push(address)
  })
  page.setDefaultTimeout(30_000)
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
/** How long nothing moves until everything has come to rest, in ms: covers load after 200. */
const REST = 300
/** Wait until camera and panels rest, as seen from frame to frame: a busy machine may draw few. */
export const settled = () =>
  page.evaluate(async (rest) => {
    const seen = () =>
      JSON.stringify([
        window.findSigma()?.getCamera().getState(),
        ...[...document.querySelectorAll('.panel, .legend-box, .map-keys')].map((part) =>
          part.getBoundingClientRect(),
        ),
      ])
    let [last, since, times] = ['', performance.now(), 0]
    while (times < 3 || performance.now() - since < rest) {
      const now = seen()
      times++
      if (now !== last) [last, since, times] = [now, performance.now(), 0]
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)))
    }
  }, REST)
export const hash = () => new URL(page.url()).hash

interface Spot {
  x: number
  y: number
}

/** Return size (width, height) of a PNG, and red, green, blue at certain pixels. */
export const pixels = (file: string | Buffer, spots: Spot[]) =>
  page.evaluate(
    async ({ picture, spots }) => {
      const image = new Image()
      image.src = `data:image/png;base64,${picture}`
      await image.decode()
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d')!
      context.drawImage(image, 0, 0)
      const colors = spots.map(({ x, y }) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)])
      return [[image.width, image.height], ...colors]
    },
    { picture: (typeof file === 'string' ? readFileSync(file) : file).toString('base64'), spots },
  )

/** What the screen shows at a point, and in the middle of a box: red, green, blue. */
export async function colors(point: Spot, box: Spot & { width: number; height: number }) {
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  return (await pixels(await page.screenshot({ scale: 'css' }), [point, middle])).slice(1)
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
    const sigma = window.findSigma()!
    return sigma
      .getGraph()
      .nodes()
      .map((node) => {
        const data = sigma.getNodeDisplayData(node)!
        return { id: Number(node), ...sigma.framedGraphToViewport(data), radius: sigma.scaleSize(data.size) }
      })
  })

/** The part of the map that nothing covers, in pixels. */
export async function freePart() {
  const { width, height } = page.viewportSize()!
  const part = { left: 0, right: width, top: 0, bottom: height }
  const header = (await page.locator('header').boundingBox())!
  part.top = header.y + header.height
  const upright = width < height
  const boxes = upright ? '.panel, .legend-box, .search, .notices p' : '.panel, .legend-box, .tools'
  for (const box of await page.locator(boxes).filter({ visible: true }).all()) {
    const { x, y, width: wide } = (await box.boundingBox())!
    if (y > 0 && y < part.top) continue // in the header
    if (upright || wide > width * 0.8) part.bottom = Math.min(part.bottom, y)
    else if (x > width / 2) part.right = x
    else part.left = x + wide
  }
  return { ...part, x: (part.left + part.right) / 2, y: (part.top + part.bottom) / 2 }
}

/** Three titles in a row from west to east. */
export function threeInARow() {
  const graph = makeGraph(3)
  graph.anime.forEach((entry, row) => {
    const title = ['West', 'Middle', 'East'][row]
    Object.assign(entry, { x: row, y: 0, title, label: title })
  })
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

/** From the next page on, hold back the files called `name` until `release`. */
export async function holdBack(name: string) {
  await page.addInitScript((name) => {
    const { stream } = Blob.prototype
    let release = () => {}
    const released = new Promise<void>((done) => {
      release = done
    })
    Object.assign(window, { release })
    File.prototype.stream = function (this: File) {
      const all = stream.call(this)
      if (this.name !== name) return all
      const held = new TransformStream({ start: () => released })
      return all.pipeThrough(held)
    }
  }, name)
  return () => page.evaluate(() => (window as unknown as { release(): void }).release())
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
