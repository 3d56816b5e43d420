/** Scores, list files and recommendations. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { makeGraph } from '../random-graph.mjs'
import {
  dropFile,
  exported,
  heading,
  holdBack,
  host,
  interactive,
  newPage,
  open,
  page,
  testOnce,
  wrongs,
} from './visit'

describe('scores and recommendations', () => {
  test('stars are kept over a reload; what has a score is not recommended; filters hold', async () => {
    await open('#/anime/61')
    const title = await heading()
    await page.locator('.stars label').nth(8).click()
    await page.getByText('Not interested').waitFor({ state: 'detached' })
    await page.reload()
    await interactive()
    expect((await page.locator('.stars strong').innerText()).trim()).toBe('9')
    await page.getByText('See recommendations').click()
    const rows = page.locator('.recommendations li')
    await rows.first().waitFor()
    expect(await rows.count()).toBe(20)
    expect(await rows.first().locator('.reason').innerText()).toContain(title)
    expect(await rows.locator('.title-name').allInnerTexts()).not.toContain(title)

    await page.getByText('Filters, less').click()
    await page.getByLabel('From year').fill('2010')
    await page.getByLabel('To year').fill('2012')
    await page.locator('.choice select').first().selectOption('movie')
    await expect.poll(() => rows.filter({ hasNotText: /201[012] · Film/ }).count()).toBe(0)
    expect(await rows.count()).toBeGreaterThan(0)
    await page.getByLabel('Mean score, at least').fill('9.9')
    await page.locator('.panel', { hasText: 'Nothing is left to recommend; removed by type' }).waitFor()
    await page.getByText('Clear filters').click()
    await rows.nth(19).waitFor()
    expect(wrongs).toEqual([])
  })

  test('a dropped list is read here and recommended from; its titles are left out', async () => {
    await open()
    const list = exported([
      [1, 10],
      [4, 9],
      [7, 0],
      [10, 3],
      [555_555, 8],
    ])
    await dropFile('animelist.xml.gz', gzipSync(list))
    await page.locator('.last-change .message').waitFor()
    expect(await page.locator('.last-change .message').innerText()).toContain(
      'The list of fan: 5 entries read, 4 with a score, 4 on this map.',
    )
    expect(await page.locator('.badge').innerText()).toBe('3')
    expect(await page.locator('.panel summary').first().innerText()).toBe('3 scored titles')
    await page.locator('.recommendations li').first().waitFor()
    const addresses = await page
      .locator('.recommendations a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')))
    for (const id of [1, 4, 7, 10]) expect(addresses).not.toContain(`#/anime/${id}`)

    await page.getByText(/^\d+ scored titles?$/).click()
    await page.getByText('Remove all scores').click()
    expect(await page.locator('.badge').count()).toBe(0)
    await page.getByText('Undo').click()
    expect(await page.locator('.badge').innerText()).toBe('3')
    await page.getByText('Undo').click()
    expect(await page.locator('.badge').count()).toBe(0)
    expect(await page.getByText('Undo').count()).toBe(0)
    expect(wrongs).toEqual([])
  })

  test('titles and reasons are taken out and back; going back finds the list where it was', async () => {
    await open('#/scores')
    await dropFile(
      'list.xml',
      Buffer.from(
        exported([
          [1, 10],
          [4, 9],
          [19, 9],
          [61, 8],
        ]),
      ),
    )
    const rows = page.locator('.recommendations li')
    await rows.nth(19).waitFor()
    const names = () => rows.locator('.title-name').allInnerTexts()
    const before = await names()

    await rows.nth(2).getByText('Not interested').click()
    await expect.poll(names).not.toContain(before[2])
    await page.locator('.last-change', { hasText: `${before[2]} is no longer recommended.` }).waitFor()
    await page.reload()
    await rows.nth(19).waitFor()
    expect(await names()).not.toContain(before[2])
    await page.getByText('1 left out').click()
    await page.getByText('Restore').click()
    await expect.poll(names).toEqual(before)

    const reasons = (await rows.nth(1).locator('.reason').allInnerTexts()).map((text) =>
      text.replace(/\s*×$/, ''),
    )
    await rows.nth(1).locator('a').click()
    await page.locator('.likely', { hasText: /You are likely to give \d/ }).waitFor()
    await page.getByText('Why this title?').click()
    const terms = page.locator('.explanation li')
    await terms.first().waitFor()
    expect(await terms.first().locator('a').innerText()).toBe(reasons[0])
    const shares = (await terms.locator('strong').allInnerTexts()).map(Number.parseFloat)
    expect(shares).toEqual([...shares].sort((a, b) => b - a))
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(100, 0)
    await page.getByText('Not interested').click()
    await page.goBack()
    await expect.poll(names).not.toContain(before[1])
    await page.getByText('Undo').click()
    await expect.poll(names).toEqual(before)

    const reason = (await rows.first().locator('.reason').first().innerText()).replace(/\s*×$/, '')
    await rows.first().locator('.reason button').first().click()
    await expect.poll(() => page.locator('.reason', { hasText: reason }).count()).toBe(0)
    expect(await names()).not.toContain(reason)
    await page.getByText('Undo').click()
    await expect.poll(names).toEqual(before)

    await page.getByText('Your taste').click()
    await page.locator('.scatter circle').nth(3).waitFor()
    expect(await page.locator('.scatter circle').count()).toBe(4)
    await page.getByText('Your taste').click()

    await page.getByText('Filters, less').click()
    await page.locator('.choice', { hasText: 'Genre left out' }).locator('select').selectOption('Drama')
    await page.getByText('Show more').click()
    await rows.nth(30).waitFor()
    const longer = await names()
    await rows.nth(30).scrollIntoViewIfNeeded()
    const top = () => rows.nth(30).evaluate((row) => row.getBoundingClientRect().top)
    const height = await top()
    await rows.nth(30).locator('a').click()
    await page.locator('.stars').waitFor()
    await page.goBack()
    await rows.nth(30).waitFor()
    expect(await names()).toEqual(longer)
    expect(Math.abs((await top()) - height)).toBeLessThan(2)
    expect(wrongs).toEqual([])
  })

  test('a list that takes its time loses nothing that happens meanwhile, and is not read again', async () => {
    await newPage()
    const release = await holdBack('slow.xml')
    await page.goto(`${host.address}#/anime/61`)
    await interactive()
    const slow = exported([
      [1, 10],
      [4, 9],
    ])
    await dropFile('slow.xml', Buffer.from(slow))
    await page.getByText('Reading the list').waitFor()
    await dropFile('fast.xml', Buffer.from(exported([[4, 7]])))
    await page.goBack()
    await page.locator('.stars label').nth(5).click()
    expect(await page.locator('.badge').innerText()).toBe('1')
    await release()
    await expect.poll(() => page.locator('.badge').innerText()).toBe('3')
    await page.locator('.tools button', { hasText: 'Your scores' }).click()
    const stored = () => page.evaluate(() => JSON.parse(localStorage.getItem('aniembed-scores')!).entries)
    await expect.poll(stored).toEqual(
      expect.arrayContaining([
        [61, 6],
        [1, 10],
        [4, 7],
      ]),
    )
    await page.getByText(/^\d+ scored titles?$/).click()
    await page.getByText('Remove all scores').click()
    await page.locator('.close').click()
    await page.locator('.tools button', { hasText: 'Your scores' }).click()
    await page.getByText('You have not scored a title').waitFor()
    expect(await stored()).toEqual([])
    expect(wrongs).toEqual([])
  })

  test('two tabs share one list, each undoes its own changes, and a new graph.json leaves it', async () => {
    await open('#/anime/61')
    const [first, second] = [page, await page.context().newPage()]
    const badge = (tab: typeof page) => tab.locator('.badge').allInnerTexts()
    await second.goto(`${host.address}#/anime/1`)
    await second.locator('.stars').waitFor()
    const list = exported(Array.from({ length: 40 }, (_, k) => [1 + 3 * (k + 1), 8]))
    await dropFile('list.xml', Buffer.from(list))
    await expect.poll(() => badge(first)).toEqual(['40'])
    await expect.poll(() => badge(second)).toEqual(['40'])

    await second.locator('.stars label').nth(8).click()
    await expect.poll(() => badge(first)).toEqual(['41'])
    await first.getByText('Undo').click()
    await expect.poll(() => badge(first)).toEqual(['1'])
    await expect.poll(() => badge(second)).toEqual(['1'])
    await second.goto(`${host.address}#/scores`)
    await second
      .getByLabel(/Not interested in/)
      .first()
      .click()
    await second.getByText('1 left out').waitFor()

    const next = makeGraph(300)
    next.anime.reverse()
    host.files['graph.json'] = JSON.stringify(next)
    await first.reload()
    await expect.poll(() => badge(first)).toEqual(['1'])
    await first.getByText('1 left out').waitFor()
    expect(wrongs).toEqual([])
  })

  testOnce('a hostile list ends in a sentence, and the page goes on', async () => {
    await open()
    const bomb =
      '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">' +
      '<!ENTITY b "&a;&a;&a;&a;">'.repeat(50) +
      ']><myanimelist>&b;</myanimelist>'
    await dropFile('list.xml', Buffer.from(bomb))
    await page.locator('.message.bad', { hasText: 'has a DTD' }).waitFor()
    await dropFile('list.xml.gz', gzipSync(Buffer.alloc(100 * 2 ** 20), { level: 1 }))
    await page.locator('.message.bad', { hasText: 'larger than 64 MB' }).waitFor()
    const deep = `<myanimelist>${'<anime>'.repeat(200_000)}`
    await dropFile('deep.xml', Buffer.from(deep))
    await page.locator('.message.bad', { hasText: 'damaged' }).waitFor()
    expect(await page.locator('.panel .message').count()).toBe(1)
    await dropFile('list.xml', Buffer.from(exported([[1, 10]])))
    await page.locator('.recommendations li').first().waitFor()
  })

  testOnce('while recommendations are computed, the page says so', async () => {
    await newPage()
    // The answers of the worker come when the test lets them.
    await page.addInitScript(() => {
      const held: (() => void)[] = []
      Object.assign(window, { release: () => held.splice(0).map((answer) => answer()).length })
      window.Worker = class extends Worker {
        override set onmessage(read: (event: MessageEvent) => void) {
          super.onmessage = (event) => void held.push(() => read.call(this, event))
        }
      }
    })
    const release = () => page.evaluate(() => (window as unknown as { release(): number }).release())
    await page.goto(`${host.address}#/scores`)
    await interactive()
    const sign = page.locator('.panel > .computing, .panel section .computing')
    // The second time, the answer to the list before is still there.
    for (const scores of [[[1, 10]], [[1, 5]]] as [number, number][][]) {
      await dropFile('list.xml', Buffer.from(exported(scores)))
      await sign.waitFor()
      await expect.poll(release).toBeGreaterThan(0)
      await sign.waitFor({ state: 'detached' })
      await page.locator('.recommendations li').first().waitFor()
    }
  })

  testOnce('a list of 20,000 entries does not freeze the page', async () => {
    await open()
    const list = exported(Array.from({ length: 20_000 }, (_, k) => [k * 3 + 1000, k % 11]))
    // Seconds of processor time that the page's own thread has used: other programs do not count.
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
    const used = async () =>
      (await cdp.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')!.value
    const before = await used()
    await dropFile('animelist.xml.gz', gzipSync(list))
    await page.locator('.recommendations, .panel .message:not(.bad)').first().waitFor()
    const seconds = (await used()) - before
    expect(seconds).toBeGreaterThan(0)
    expect(seconds, 'in all, so no single pause is longer').toBeLessThan(2)
  })
})
