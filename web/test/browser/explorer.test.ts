/**
 * What is particular to web/explorer.html with a graph inside, as similarity_map.py writes it, opened from
 * file:// without a network. What a person does there, the project "file" of vite.config.ts tests.
 */
import { gzipSync } from 'node:zlib'
import type { BrowserContextOptions } from 'playwright-core'
import { expect, test } from 'vitest'
import { launch, serveCovers } from '../harness.mjs'
import { makeGraph } from '../random-graph.mjs'
import {
  EXPLORER_ADDRESS as ADDRESS,
  covers,
  dropFile,
  exported,
  interactive,
  newPage,
  page,
  settled,
  WIDE,
  writeExplorer,
  wrongs,
} from './visit'

async function openExplorer(graph: object, address = '', options: BrowserContextOptions = {}) {
  writeExplorer(graph)
  await newPage({ ...WIDE, ...options })
  await page.goto(ADDRESS + address)
  await interactive()
}

test('a dropped export is recommended from, and kept', async () => {
  await openExplorer(makeGraph(300), '', { offline: true })
  const list = exported([
    [1, 10],
    [4, 9],
    [7, 0],
  ])
  await dropFile('animelist.xml.gz', gzipSync(list))
  await page.locator('.recommendations li').first().waitFor()
  expect(await page.locator('.recommendations li').count()).toBe(20)
  expect(await page.locator('.panel').innerText()).not.toContain('does not let the page store data')
  await page.reload()
  await interactive()
  expect(await page.locator('.badge').innerText()).toBe('2')
  await dropFile('animelist.xml', Buffer.from(`${list}<`))
  await page.locator('.message.bad', { hasText: 'damaged' }).waitFor()
  expect(wrongs).toEqual([])
})

test('says so where the browser keeps no scores', async () => {
  writeExplorer(makeGraph(60))
  await newPage()
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get: () => {
        throw new DOMException('denied', 'SecurityError')
      },
    })
  })
  await page.goto(`${ADDRESS}#/scores`)
  await page.locator('.panel', { hasText: 'does not let the page store data' }).waitFor()
  await dropFile('animelist.xml', Buffer.from(exported([[1, 10]])))
  await page.locator('.recommendations li').first().waitFor()
  expect(wrongs).toEqual([])
})

test('covers come from the one host, and nothing else is asked of any', async () => {
  const other = await serveCovers()
  const graph = makeGraph(60, { covers: covers.address })
  graph.anime[2].picture = `${other.address}7.png`
  await openExplorer(graph, '#/anime/10')
  await settled()
  await page.locator('.tools button', { hasText: 'List' }).click()
  await page.locator('.list-view li').nth(59).scrollIntoViewIfNeeded()
  await expect.poll(() => covers.asked).toContain('/10.png')
  expect(wrongs).toEqual([])
  const refused = await page.evaluate(async (address) => {
    const script = document.createElement('script')
    script.textContent = 'window.injected = true'
    document.body.append(script)
    const image = new Image()
    image.src = `${address}7.png`
    return {
      picture: await image.decode().then(
        () => false,
        () => true,
      ),
      request: await fetch(address, { mode: 'no-cors' }).then(
        () => false,
        () => true,
      ),
      script: !('injected' in window),
    }
  }, other.address)
  await other.close()
  expect(refused).toEqual({ picture: true, request: true, script: true })
  expect(other.asked).toEqual([])
})

test('hostile texts stay texts', async () => {
  const graph = makeGraph(60)
  const hostile = '</script><script>document.title="x"</script><!--<script> \u2028 \u2029 ]]> &lt; \ud800'
  graph.anime[3].title = hostile
  graph.clusters[0].name = '<img src=x onerror=alert(1)>'
  await openExplorer(graph, '#/anime/10')
  expect(await page.locator('.panel h2').evaluate((heading) => heading.textContent)).toBe(hostile)
  expect(await page.locator('.panel img, .legend img').count()).toBe(0)
  expect(wrongs).toEqual([])
})

test('without a graph, it says how to get one, and opens a file', async () => {
  writeExplorer(null)
  await newPage()
  await page.goto(ADDRESS)
  expect(await page.locator('[role=alert]').innerText()).toContain('This page has no graph inside')
  const buffer = Buffer.from(JSON.stringify(makeGraph(40)))
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'graph.json', mimeType: 'application/json', buffer })
  await interactive()
  expect(wrongs).toEqual([])
})

test('without WebGL, a list', async () => {
  const blind = await launch(['--disable-3d-apis'])
  try {
    writeExplorer(makeGraph(40))
    await newPage(WIDE, blind)
    await page.goto(ADDRESS)
    await page.locator('.list-view .titles a').first().click()
    expect(await page.locator('.notices').innerText()).toContain('does not offer WebGL')
    expect(wrongs).toEqual([])
  } finally {
    await blind.close()
  }
})
