/** Names on the map: each stands at its own disc. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { Anime } from '../../src/data/graph'
import { WEB } from '../harness.mjs'
import { makeGraph, randomNumbers } from '../random-graph.mjs'
import {
  discs,
  drawn,
  freePart,
  host,
  interactive,
  LYING,
  newPage,
  PHONE,
  page,
  recordDrawing,
  settled,
  testOnce,
  WIDE,
} from './visit'

const sample = JSON.parse(readFileSync(resolve(WEB, 'sample/graph.json'), 'utf8'))

const labelsOf = (anime: { id: number; label: string }[]) =>
  new Map(anime.map(({ id, label }) => [id, label]))

/** Distance in pixels between a box (left, right, top, bottom) and the rim of a disc. */
function gap(
  [left, right, top, bottom]: number[],
  { x, y, radius }: { x: number; y: number; radius: number },
) {
  const outside = (value: number, least: number, most: number) => Math.max(least - value, 0, value - most)
  return Math.hypot(outside(x, left, right), outside(y, top, bottom)) - radius
}

/** Return the texts that could be taken for the name of another disc than their own. */
async function misleading(labels: Map<number, string>) {
  const marks = await discs()
  const { texts, leaders } = await drawn()
  const wrong: string[] = []
  let titles = 0
  for (const { text, box } of texts) {
    const own = marks.find(({ id }) => labels.get(id) === text)
    if (!own) continue // the name of a cluster
    titles++
    const withLine = leaders.some(
      ([x, y, toX, toY]) =>
        Math.abs(Math.hypot(x - own.x, y - own.y) - own.radius) < 1 &&
        gap(box, { x: toX, y: toY, radius: 0 }) < 5,
    )
    const distance = withLine ? 0 : gap(box, own)
    // What is a speck beside the own disc cannot be taken for it.
    const others = marks.filter(
      ({ id, radius }) => id !== own.id && (radius >= 5 || radius >= own.radius / 2),
    )
    const crossed = leaders.filter(([x, y, toX, toY]) => {
      const isOwn = gap(box, { x: toX, y: toY, radius: 0 }) < 5
      const points = Array.from({ length: 21 }, (_, k) => ({
        x: x + ((toX - x) * k) / 20,
        y: y + ((toY - y) * k) / 20,
      }))
      return !isOwn && points.some((point) => gap(box, { ...point, radius: 0 }) <= 0)
    })
    if (crossed.length > 0) wrong.push(`${text}, crossed by a line`)
    if (distance > 8 || others.some((other) => gap(box, other) < distance)) wrong.push(text)
  }
  return { wrong, titles }
}

test.each([
  ['wide', WIDE, 40],
  ['phone', PHONE, 10],
  ['phone on its side', LYING, 10],
])('every name stands at its own disc, near and far (%s)', async (_size, options, least) => {
  for (const [graph, count] of [
    [sample, least],
    [makeGraph(300), 5],
  ] as const) {
    host.files['graph.json'] = JSON.stringify(graph)
    await newPage(options)
    await recordDrawing()
    await page.goto(host.address)
    await interactive()
    const labels = labelsOf(graph.anime)
    for (let zoom = 0; zoom < 3; zoom++) {
      await settled()
      const { wrong, titles } = await misleading(labels)
      expect(wrong).toEqual([])
      if (zoom === 0) expect(titles).toBeGreaterThanOrEqual(count)
      await page.getByLabel('Zoom in').click()
    }
    await page.context().close()
  }
  await newPage(options)
})

testOnce('the discs of the sample do not cover each other, near or far', async () => {
  host.files['graph.json'] = JSON.stringify(sample)
  await newPage(PHONE)
  await page.goto(host.address)
  await interactive()
  for (const button of ['Show the whole map', 'Zoom in', 'Zoom in', 'Zoom out', 'Zoom out', 'Zoom out']) {
    await page.getByLabel(button).click()
    await settled()
    const marks = await discs()
    for (const [k, a] of marks.entries())
      for (const b of marks.slice(k + 1))
        expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(a.radius + b.radius)
  }
})

test('the most popular titles are named on a phone, and zooming in names more of what is in sight', async () => {
  host.files['graph.json'] = JSON.stringify(sample)
  await newPage(PHONE)
  await recordDrawing()
  await page.goto(host.address)
  await interactive()
  await settled()
  const named = async () => (await drawn()).texts.map(({ text }) => text)
  const popular = (sample.anime as Anime[]).filter(({ popularity }) => popularity! <= 5)
  const labels = labelsOf(sample.anime)
  const far = await named()
  expect(popular.filter(({ id }) => far.includes(labels.get(id)!)).length).toBeGreaterThanOrEqual(4)
  const share = async () => {
    const inSight = (await discs()).filter(({ x, y }) => x > 0 && x < 390 && y > 0 && y < 844)
    const texts = await named()
    return inSight.filter(({ id }) => texts.includes(labels.get(id)!)).length / inSight.length
  }
  const before = await share()
  for (let k = 0; k < 3; k++) {
    await page.getByLabel('Zoom in').click()
    await settled()
  }
  expect(await share()).toBeGreaterThan(before)
})

test.each([
  ['wide', WIDE, 50],
  ['phone', PHONE, 20],
])(
  'in a crowd the popular titles are named, and an outline shows whose a name is (%s)',
  async (_size, options, least) => {
    const graph = makeGraph(3000)
    const random = randomNumbers(4)
    const places = graph.anime.map((_, k) => [k % 60, Math.floor(k / 60)]).sort(() => random() - 0.5)
    graph.anime.forEach((entry, k) => {
      const [column, row] = places[k].map((place) => (place + 0.6 * random()) / 80)
      const r = 0.0018 - (0.0011 * k) / 3000 // as similarity_map.py draws so many
      Object.assign(entry, { x: column, y: row, r })
    })
    host.files['graph.json'] = JSON.stringify(graph)
    await newPage(options)
    await recordDrawing()
    await page.goto(host.address)
    await interactive()
    const labels = labelsOf(graph.anime)
    const byPopularity = [...graph.anime].sort((a, b) => a.popularity - b.popularity).map(({ id }) => id)
    for (let zoom = 0; zoom < 3; zoom++) {
      await settled()
      const marks = await discs()
      const { texts, rings } = await drawn()
      const outlined = marks.filter(({ x, y }) =>
        rings.some((ring) => Math.hypot(ring.x - x, ring.y - y) < 0.1),
      )
      const names = texts.flatMap(({ text, box }) => {
        const own = marks.find(({ id }) => labels.get(id) === text)
        return own ? [{ text, box, own }] : []
      })
      for (const { text, box, own } of names) {
        const isRival = ({ radius }: typeof own) =>
          radius >= 9 || (!outlined.includes(own) && radius >= own.radius / 2)
        const others = marks.filter((other) => other !== own && (isRival(other) || outlined.includes(other)))
        const nearer = others.filter((other) => gap(box, other) < Math.min(gap(box, own), 4))
        expect(
          nearer.map(({ id }) => labels.get(id)),
          `nearer to ${text} than its own disc`,
        ).toEqual([])
      }
      const free = await freePart()
      const inSight = byPopularity
        .map((id) => marks.find((mark) => mark.id === id)!)
        .filter(({ x, y }) => x > free.left && x < free.right && y > free.top && y < free.bottom)
      const named = names.map(({ own }) => own)
      expect(named.length, `of ${inSight.length}`).toBeGreaterThanOrEqual(Math.min(least, inSight.length / 3))
      const popular = inSight.slice(0, 8).filter((mark) => named.includes(mark)).length
      // Nearer, discs are too large to be written over.
      if (zoom < 2) expect(popular, `zoom ${zoom}`).toBeGreaterThanOrEqual(6)
      for (let k = 0; k < 2; k++) await page.getByLabel('Zoom in').click()
    }
  },
)
