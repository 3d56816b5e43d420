/**
 * Prints the figures of the built page in headless Chromium: time from the arrival of graph.json to a page
 * that answers, frames a second while the map is dragged, weight. Ends with status 1 if the page is too heavy;
 * the other figures depend on the machine and on what else it does.
 *
 *     npm run figures
 */

import { readdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { launch, serve, WEB } from './harness.mjs'
import { makeGraph } from './random-graph.mjs'

/** What is aimed at on a quiet machine: seconds, and frames a second. */
const AIMS = { 3000: [1, 60], 20000: [5, 30] }
const KILOBYTES = 300

const report = (what, figure, unit, bound) =>
  console.log(`${what.padEnd(52)} ${figure.padStart(8)} ${unit.padEnd(4)} (${bound} ${unit})`)

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
for (const [count, [seconds, frames]] of Object.entries(AIMS)) {
  const { host, page } = await openGraph(browser, Number(count))
  const milliseconds = await page.evaluate(
    () =>
      performance.getEntriesByName('interactive')[0].startTime -
      performance.getEntriesByName('graph-arrived')[0].startTime,
  )
  const titles = `${Number(count).toLocaleString('en')} titles`
  const took = (milliseconds / 1000).toFixed(2)
  report(`${titles}, from arrival to interactive`, took, 's', `aim: ${seconds}`)
  const drawn = (await framesWhileDragging(page)).toFixed(0)
  report(`${titles}, while dragging`, drawn, 'fps', `aim: ${frames}`)
  await page.close()
  await host.close()
}
await browser.close()

let bytes = 0
for (const entry of await readdir(resolve(WEB, 'dist'), { recursive: true, withFileTypes: true }))
  if (entry.isFile() && entry.name !== 'graph.json')
    bytes += gzipSync(await readFile(resolve(entry.parentPath, entry.name))).length
const kilobytes = (bytes / 1024).toFixed(0)
report('the built app without graph.json, gzipped', kilobytes, 'KB', `at most ${KILOBYTES}`)
process.exitCode = bytes < KILOBYTES * 1024 ? 0 : 1
