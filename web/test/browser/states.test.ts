/** Whatever can go wrong has a sentence; and the checks of axe. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type { Route } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { launch, WEB } from '../harness.mjs'
import { makeGraph } from '../random-graph.mjs'
import {
  covers,
  holdBack,
  host,
  interactive,
  newPage,
  open,
  PHONE,
  page,
  settled,
  WIDE,
  wrongs,
} from './visit'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe('every state has a sentence', () => {
  test.each<[string, string | null, RegExp]>([
    ['no file', null, /There is no graph\.json beside this page/],
    ['a file that is no graph', '<!doctype html><title>404</title>', /not JSON/],
    [
      'a graph of another version',
      '{"format": "aniembed-graph/9"}',
      /format aniembed-graph\/9; this page reads/,
    ],
    ['a graph without titles', '{"format": "aniembed-graph/3", "anime": []}', /no valid "n_embedding"/],
  ])('%s', async (_what, file, sentence) => {
    host.files['graph.json'] = file
    await newPage()
    await page.goto(host.address)
    expect(await page.locator('[role=alert]').innerText()).toMatch(sentence)
    await page.locator('input[type=file]').setInputFiles({
      name: 'graph.json',
      mimeType: 'application/json',
      buffer: Buffer.from(JSON.stringify(makeGraph(40))),
    })
    await interactive()
    await page.getByLabel('Map of 40 titles').waitFor()
  })

  test('a connection that breaks', async () => {
    host.files['graph.json'] = (response) =>
      response.write('{"format": "aniembed-graph/3"', () => response.destroy())
    await newPage()
    await page.goto(host.address)
    expect(await page.locator('[role=alert]').innerText()).toContain(
      'The connection broke while graph.json was loading',
    )
  })

  test('loading', async () => {
    await newPage()
    let answer = () => {}
    await page.route('**/graph.json', async (route) => {
      await new Promise<void>((done) => {
        answer = done
      })
      await route.continue()
    })
    await page.goto(host.address)
    expect(await page.locator('main').innerText()).toContain('Loading the map')
    answer()
    await page.locator('.map').waitFor()
  })

  test('a title that the map does not hold, an address that the page does not know, no neighbours', async () => {
    const graph = makeGraph(60)
    graph.neighbours[1] = []
    host.files['graph.json'] = JSON.stringify(graph)
    await open('#/anime/999999')
    expect(await page.locator('.panel').innerText()).toContain('This map has no title with the id 999999.')
    await page.goto(`${host.address}#/%3Cscript%3E`)
    await page.locator('.panel', { hasText: 'There is no page at' }).waitFor()
    await page.goto(`${host.address}#/anime/1`)
    await page.locator('.panel', { hasText: 'Nothing is known about what is near' }).waitFor()
    expect(wrongs).toEqual([])
  })

  test('of two graphs that are chosen, the later one, also where the first takes its time', async () => {
    host.files['graph.json'] = null
    await newPage()
    const release = await holdBack('slow.json')
    await page.goto(host.address)
    const choose = (name: string, count: number) =>
      page.locator('input[type=file]').setInputFiles({
        name,
        mimeType: 'application/json',
        buffer: Buffer.from(JSON.stringify(makeGraph(count))),
      })
    await choose('slow.json', 50)
    await choose('fast.json', 40)
    await page.getByLabel('Map of 40 titles').waitFor()
    await release()
    // Whatever the release sets going is done after two turns of the page's own clock.
    await page.evaluate(() => new Promise((done) => setTimeout(() => setTimeout(done, 200), 200)))
    expect(await page.getByLabel('Map of 40 titles').count()).toBe(1)
  })

  test('a map that does not arrive, or late', async () => {
    await newPage({ ...WIDE, serviceWorkers: 'block' })
    let answer = () => {}
    await page.route('**/MapView*.js', async (route) => {
      await new Promise<void>((done) => {
        answer = done
      })
      await route.abort()
    })
    await page.goto(host.address)
    await page.getByText('Save picture').click()
    await page.getByText('Drawing the map').waitFor()
    expect(wrongs).toEqual([])
    answer()
    await page.locator('.notices', { hasText: 'The map could not be loaded' }).waitFor()
    await page.locator('.list-view .titles a').first().click()
    await page.locator('.panel h2').waitFor()
  })

  test('WebGL that the browser takes away', async () => {
    await open('#/anime/10')
    await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.sigma-nodes')!
      canvas.getContext('webgl2')!.getExtension('WEBGL_lose_context')!.loseContext()
    })
    await page.locator('.notices', { hasText: 'took WebGL away' }).waitFor()
    expect(await page.locator('.list-view li').count()).toBeGreaterThan(50)
    expect(wrongs).toEqual([])
  })

  test('covers that cannot be loaded', async () => {
    host.files['graph.json'] = JSON.stringify(makeGraph(60, { covers: `${host.address}missing/` }))
    await open('#/anime/10')
    await page.locator('.notices', { hasText: 'Covers cannot be loaded' }).waitFor()
    expect(await page.locator('.panel .no-cover').count()).toBeGreaterThan(0)
  })

  test('covers that come when the map is no longer shown', async () => {
    host.files['graph.json'] = JSON.stringify(makeGraph(60, { covers: covers.address }))
    await newPage()
    const held: Route[] = []
    await page.route(`${covers.address}**`, (route) => void held.push(route))
    await page.goto(host.address)
    await expect.poll(() => held.length).toBeGreaterThan(0)
    await page.locator('.tools button', { hasText: 'List' }).click()
    await page.locator('.list-view').waitFor()
    const answer = page.waitForEvent('requestfinished')
    for (const route of held) await route.continue()
    await answer
    await page.evaluate(() => new Promise((done) => setTimeout(done, 200)))
    expect(wrongs).toEqual([])
  })

  test('no WebGL: a list with search', async () => {
    const blind = await launch(['--disable-3d-apis'])
    try {
      await newPage(WIDE, blind)
      await page.goto(host.address)
      await page.locator('.notices', { hasText: 'does not offer WebGL' }).waitFor()
      await page.keyboard.press('/')
      await page.keyboard.type('tale 40')
      await page.keyboard.press('Enter')
      await page.locator('.panel .titles a').first().click()
      expect(await page.locator('.trail li').count()).toBe(1 + 1)
      expect(wrongs).toEqual([])
    } finally {
      await blind.close()
    }
  })
})

describe('accessibility (axe)', () => {
  test.each<['light' | 'dark', 'wide' | 'phone']>([
    ['light', 'wide'],
    ['dark', 'wide'],
    ['light', 'phone'],
    ['dark', 'phone'],
  ])('%s, %s', async (colorScheme, size) => {
    host.files['graph.json'] = readFileSync(resolve(WEB, 'sample/graph.json'), 'utf8')
    await open('', { ...(size === 'wide' ? WIDE : PHONE), colorScheme })
    const check = async (where: string) => {
      // As an expression: the page's policy refuses a script element.
      await page.evaluate(AXE)
      const found = await page.evaluate(async () => {
        const { violations } = await (window as unknown as { axe: typeof import('axe-core') }).axe.run()
        return violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(' | ')}`,
        )
      })
      expect(found, where).toEqual([])
    }
    await check('the map')
    await page.goto(`${host.address}#/anime/1535`)
    await page.locator('.stars label').nth(9).click()
    await settled()
    await check('a title')
    await page.goto(`${host.address}#/scores`)
    await page.locator('.recommendations li').first().waitFor()
    await check('scores')
    await page.locator('.close').click()
    await page.locator('.tools button', { hasText: 'List' }).click()
    await page.locator('.search input').fill('no')
    await page.locator('[role=option]').first().waitFor()
    await check('list and search')
  })
})
