/**
 * Prints the figures of the built page in headless Chromium: time from the arrival of graph.json to a page
 * that answers, frames a second while the map is dragged, weight. Ends with status 1 if one of them is worse
 * than promised.
 *
 *     npm run figures
 */

import { readdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { launch, serve, WEB } from './harness.mjs'
import { makeGraph } from './random-graph.mjs'

const SECONDS = { 3000: 2, 20000: 5 }
const FRAMES = 30
const KILOBYTES = 300

let broken = false
function report(what, figure, unit, bound, good) {
  broken ||= !good
  console.log(
    `${what.padEnd(52)} ${String(figure).padStart(8)} ${unit.padEnd(4)} ${good ? '  ' : '! '}(promised: ${bound})`,
  )
}

async function openGraph(browser, count) {
  const host = await serve({ 'graph.json': JSON.stringify(makeGraph(count)) })
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(host.address)
  await page.waitForFunction(() => performance.getEntriesByName('interactive').length > 0, null, {
    timeout: 60_000,
  })
  return { host, page }
}

/** Frames that the browser drew in each second of dragging the map about. */
async function framesWhileDragging(page) {
  await page.evaluate(() => {
    window.frames = 0
    const tick = () => {
      window.frames++
      requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
  })
  await page.mouse.move(700, 450)
  await page.mouse.down()
  await page.evaluate(() => {
    window.frames = 0
  })
  const start = performance.now()
  for (let step = 0; performance.now() - start < 3000; step++)
    await page.mouse.move(700 + 200 * Math.sin(step / 12), 450 + 150 * Math.cos(step / 17))
  const frames = await page.evaluate(() => window.frames)
  const seconds = (performance.now() - start) / 1000
  await page.mouse.up()
  return frames / seconds
}

const browser = await launch()
for (const [count, bound] of Object.entries(SECONDS)) {
  const { host, page } = await openGraph(browser, Number(count))
  const milliseconds = await page.evaluate(
    () =>
      performance.getEntriesByName('interactive')[0].startTime -
      performance.getEntriesByName('graph-arrived')[0].startTime,
  )
  report(
    `${Number(count).toLocaleString('en')} titles, from arrival to interactive`,
    (milliseconds / 1000).toFixed(2),
    's',
    `${bound} s`,
    milliseconds < 1000 * bound,
  )
  const frames = await framesWhileDragging(page)
  if (count === '3000')
    report('3,000 titles, while dragging', frames.toFixed(0), 'fps', `${FRAMES} fps`, frames > FRAMES)
  else
    console.log(
      `${`${Number(count).toLocaleString('en')} titles, while dragging`.padEnd(52)} ${frames.toFixed(0).padStart(8)} fps`,
    )
  await page.close()
  await host.close()
}
await browser.close()

let bytes = 0
for (const entry of await readdir(resolve(WEB, 'dist'), { recursive: true, withFileTypes: true }))
  if (entry.isFile() && entry.name !== 'graph.json')
    bytes += gzipSync(await readFile(resolve(entry.parentPath, entry.name))).length
report(
  'the built app without graph.json, gzipped',
  (bytes / 1024).toFixed(0),
  'KB',
  `${KILOBYTES} KB`,
  bytes < KILOBYTES * 1024,
)
process.exitCode = broken ? 1 : 0
