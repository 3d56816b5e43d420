/** What the page asks of which host, with and without a network. */
import { describe, expect, test } from 'vitest'
import { serveCovers } from '../harness.mjs'
import { makeGraph } from '../random-graph.mjs'
import { covers, heading, host, interactive, open, page, serveAgain, settled, WIDE, wrongs } from './visit'

describe('hosts', () => {
  test("covers come from the graph's host alone; the policy holds scripts, pictures and requests back from any other", async () => {
    const other = await serveCovers()
    const graph = makeGraph(60, { covers: covers.address })
    graph.anime[2].picture = `${other.address}7.png`
    graph.anime[3].title =
      '<img src="/markup.png" onerror="document.title=1"><script>document.title=2</script>'
    graph.anime[3].english = '"><b>bold</b>'
    host.files['graph.json'] = JSON.stringify(graph)
    await open('#/anime/10')
    expect(await heading()).toBe(graph.anime[3].title)
    expect(await page.locator('.panel b').count()).toBe(0)
    await settled()
    expect(covers.asked.length).toBeGreaterThan(10)
    expect(covers.asked).toContain('/10.png')
    await page.locator('.tools button', { hasText: 'List' }).click()
    await page.locator('.list-view li').nth(59).scrollIntoViewIfNeeded()
    expect(wrongs).toEqual([])

    const refused = await page.evaluate(
      async ({ cover, other }) => {
        const pictureFails = (address: string) =>
          new Promise((done) => {
            const image = new Image()
            image.onerror = () => done(true)
            image.onload = () => done(false)
            image.src = address
          })
        const script = document.createElement('script')
        script.textContent = 'window.injected = true'
        document.body.append(script)
        return {
          request: await fetch(other, { mode: 'no-cors' }).then(
            () => false,
            () => true,
          ),
          otherPicture: await pictureFails(other),
          cover: await pictureFails(cover),
          script: !('injected' in window),
        }
      },
      { cover: `${covers.address}1.png`, other: `${other.address}7.png` },
    )
    await other.close()
    expect(refused).toEqual({ request: true, otherPicture: true, cover: false, script: true })
    expect(other.asked).toEqual([])
  })

  test('links lead to MyAnimeList and nowhere else', async () => {
    await open('#/anime/61')
    const links = await page
      .locator('a')
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).getAttribute('href')!))
    expect(links).toContain('https://myanimelist.net/anime/61')
    for (const link of links) expect(link).toMatch(/^#\/|^https:\/\/myanimelist\.net\/anime\/\d+$/)
  })

  test.each(['allow', 'block'] as const)(
    'another graph.json shows at the next visit, although the host says nothing of how long it holds (service workers: %s)',
    async (serviceWorkers) => {
      const put = (count: number, changed: string) => {
        const text = JSON.stringify(makeGraph(count))
        // Changed long ago: a browser takes such a file as good for months.
        host.files['graph.json'] = (response) => response.setHeader('Last-Modified', changed).end(text)
      }
      put(40, 'Mon, 02 Mar 2015 10:00:00 GMT')
      await open('', { ...WIDE, serviceWorkers })
      if (serviceWorkers === 'allow') await page.evaluate(() => navigator.serviceWorker.ready)
      put(50, 'Tue, 03 Mar 2015 10:00:00 GMT')
      await page.reload()
      await page.getByLabel('Map of 50 titles').waitFor()
    },
  )

  test.each<Record<string, string>>([{}, { Vary: 'Origin' }])(
    'without a network after the first visit (%o)',
    async (headers) => {
      await serveAgain({ 'graph.json': JSON.stringify(makeGraph(300)) }, { headers })
      await open()
      await page.evaluate(() => navigator.serviceWorker.ready)
      const { address } = host
      await host.close()
      await page.goto(`${address}#/anime/61`)
      await page.reload()
      await interactive()
      await page.locator('.panel .titles a').first().click()
      await page.locator('.stars label').nth(9).click()
      await page.locator('.tools button', { hasText: 'Your scores' }).click()
      await page.locator('.recommendations li').first().waitFor()
      await serveAgain()
    },
  )
})
