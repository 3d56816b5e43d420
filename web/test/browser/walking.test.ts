/** A person walks over the map: search, pointer, keyboard, touch. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WEB } from '../harness.mjs'
import { makeGraph } from '../random-graph.mjs'
import {
  colors,
  discs,
  drawn,
  freePart,
  hash,
  heading,
  host,
  interactive,
  LYING,
  newPage,
  open,
  PHONE,
  page,
  recordDrawing,
  settled,
  testOnce,
  threeInARow,
  WIDE,
  wrongs,
} from './visit'

describe('walking', () => {
  test('search, three steps, back, and the link shared', async () => {
    await open()
    await page.keyboard.press('/')
    await page.keyboard.type('ogatari no kage 12')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    const titles = [await heading()]
    expect(titles[0].toLowerCase()).toContain('ogatari no kage 12')
    for (let step = 0; step < 3; step++) {
      const row = page.locator('.panel .titles a').nth(step + 1)
      const next = await row.locator('.title-name').innerText()
      await row.click()
      await page.locator('.panel h2', { hasText: next }).waitFor()
      titles.push(await heading())
    }
    expect(await page.locator('.trail li').allInnerTexts()).toEqual(titles)
    const shared = page.url()
    expect(hash()).toMatch(/^#\/anime\/\d+$/)

    await page.goBack()
    expect(await heading()).toBe(titles[2])
    expect(await page.locator('.trail li').allInnerTexts()).toEqual(titles.slice(0, 3))
    await page.goBack()
    await page.goForward()
    expect(await heading()).toBe(titles[2])
    await page.locator('.trail button').first().click()
    expect(await heading()).toBe(titles[0])

    const other = await page.context().newPage()
    await other.goto(shared)
    expect(await other.locator('.panel h2').innerText()).toBe(titles[3])
    expect(await other.title()).toBe(`${titles[3]} · AniEmbed`)
    expect(wrongs).toEqual([])
  })

  test('a studio is found, lights up its titles on the map, and has a link', async () => {
    host.files['graph.json'] = readFileSync(resolve(WEB, 'sample/graph.json'))
    await newPage()
    await recordDrawing()
    await page.goto(host.address)
    await interactive()
    await page.keyboard.press('/')
    await page.keyboard.type('ghibli')
    await page.keyboard.press('Enter')
    expect(await heading()).toBe('Studio Ghibli')
    expect(hash()).toBe('#/studio/Studio%20Ghibli')
    await settled()
    const titles = await page.locator('.panel .title-name').allInnerTexts()
    expect(titles).toContain('Mononoke Hime')
    const written = (await drawn()).texts.map(({ text }) => text)
    expect(written).toEqual(expect.arrayContaining(titles))
    expect(written).not.toContain('Death Note')
    await page.reload()
    expect(await heading()).toBe('Studio Ghibli')
    await page.locator('.panel .titles a').first().click()
    await page.locator('.group-links a', { hasText: 'Studio Ghibli' }).click()
    expect(await heading()).toBe('Studio Ghibli')
    expect(wrongs).toEqual([])
  })

  testOnce(
    'what lies in the middle stays there when panels come and go: hover tells of it, a click opens it, a drag does not',
    async () => {
      host.files['graph.json'] = threeInARow()
      await open('#/scores')
      let at = await freePart()
      await page.mouse.move(at.x, at.y)
      expect(await page.locator('.hover-card strong').innerText()).toBe('Middle')
      await page.mouse.move(at.x, at.y + 200)
      await page.locator('.close').click()
      await settled()
      at = await freePart()
      await page.mouse.move(at.x, at.y)
      expect(await page.locator('.hover-card strong').innerText()).toBe('Middle')
      expect(await page.locator('.hover-card').innerText()).toMatch(/Studio 1/)

      await page.mouse.down()
      await page.mouse.move(at.x + 120, at.y + 80, { steps: 6 })
      await page.waitForTimeout(300) // a hand that rests before it lets go, so that the map does not glide on
      await page.mouse.up()
      await settled()
      expect(hash()).toBe('#/')
      await page.mouse.click(at.x + 120, at.y + 80)
      expect(await heading()).toBe('Middle')
      expect(wrongs).toEqual([])
    },
  )

  test.each([
    ['wide', WIDE],
    ['phone', PHONE],
    ['phone on its side', LYING],
  ])(
    'a title and its ten nearest lie in the free part of the map, with their names (%s)',
    async (size, options) => {
      const graph = makeGraph(60)
      graph.neighbours[1] = graph.anime.slice(1, 11).map(({ id }) => [id, 0.5])
      graph.anime.slice(0, 11).forEach((entry, k) => {
        const distance = k && 0.02 + (k % 3) * 0.04
        Object.assign(entry, { x: 0.3 + distance * Math.cos(k), y: 0.3 + distance * Math.sin(k) })
      })
      host.files['graph.json'] = JSON.stringify(graph)
      await newPage({ ...options, reducedMotion: 'no-preference' })
      await recordDrawing()
      await page.goto(host.address)
      await interactive()
      await page.goto(`${host.address}#/anime/1`) // a flight
      await interactive()
      await settled()
      const { texts, rings, ends } = await drawn()
      const free = await freePart()
      expect(ends.length).toBe(10)
      for (const { x, y } of [rings[0], ...ends]) {
        expect(
          x > free.left && x < free.right && y > free.top && y < free.bottom,
          `${x}, ${y} in ${JSON.stringify(free)}`,
        ).toBe(true)
      }
      const written = texts.map(({ text }) => text)
      expect(written[0]).toBe(graph.anime[0].title)
      const named = graph.anime.slice(1, 11).filter(({ title }) => written.includes(title)).length
      expect(named).toBeGreaterThanOrEqual(size === 'wide' ? 10 : 5)
      expect(wrongs).toEqual([])
    },
  )

  test('a flight ends at the title, also where a panel goes while the page stands still', async () => {
    await newPage({ ...WIDE, reducedMotion: 'no-preference' })
    await page.goto(host.address)
    await interactive()
    await settled()
    // A click that waits while the page is busy comes before the next frame of the flight.
    await page.evaluate(() => {
      location.hash = '#/anime/61'
      setTimeout(() => {
        for (const start = performance.now(); performance.now() - start < 1000; );
        document.querySelector<HTMLElement>('.tools [aria-expanded]')!.click()
      }, 20)
    })
    await page.locator('.legend-box').waitFor({ state: 'detached' })
    await settled()
    const camera = () => page.evaluate(() => window.findSigma()!.getCamera().getState())
    const there = await camera()
    await page.reload()
    await interactive()
    await page.locator('.tools [aria-expanded]').click()
    await settled()
    expect(there).toEqual(await camera())
  })

  testOnce('the ring, the text for screen readers and Enter follow the cross at once', async () => {
    host.files['graph.json'] = threeInARow()
    await newPage()
    await recordDrawing()
    await page.goto(host.address)
    await interactive()
    await page.locator('.map-keys').focus()
    const said = page.locator('main [role=status]')
    expect(await said.innerText()).toBe('Middle')
    for (let k = 0; k < 20 && (await said.innerText()) === 'Middle'; k++)
      await page.keyboard.press('ArrowRight')
    expect(await said.innerText()).toBe('East')
    await expect.poll(async () => (await drawn()).rings[0].x).toBeGreaterThan((await freePart()).x)
    await page.keyboard.press('ArrowLeft')
    expect(await said.innerText()).toBe('Middle')
    await expect.poll(async () => (await drawn()).rings[0].x).toBeLessThan((await freePart()).x)

    // Where there is nothing in sight, the nearest title is still said, written and opened.
    for (const key of ['ArrowUp', 'ArrowUp', 'ArrowUp', '+', '+', '+', '+', '+'])
      await page.keyboard.press(key)
    await settled()
    expect((await drawn()).texts.map(({ text }) => text)).toEqual(['Middle'])
    await page.getByText('No title is in sight here').waitFor()
    await page.keyboard.press('Enter')
    expect(await heading()).toBe('Middle')
    expect(wrongs).toEqual([])
  })

  test('with the keyboard alone', async () => {
    await open()
    const pressUntil = async (name: RegExp) => {
      for (let k = 0; k < 40; k++) {
        await page.keyboard.press('Tab')
        const focused = await page.evaluate(
          () => document.activeElement!.getAttribute('aria-label') ?? document.activeElement!.textContent,
        )
        if (name.test(focused!)) return
      }
      throw new Error(`Tab never reaches ${name}`)
    }
    await pressUntil(/^Map of 300 titles/)
    for (const key of ['ArrowRight', '+', 'ArrowDown', 'ArrowLeft', 'ArrowUp', '-'])
      await page.keyboard.press(key)
    await page.keyboard.press('Enter')
    const first = await heading()
    expect(await page.evaluate(() => document.activeElement!.tagName)).toBe('H2')
    await pressUntil(/^5 of 10$|^1 of 10$/)
    await page.keyboard.press('ArrowRight')
    expect(await page.locator('.stars strong').innerText()).toMatch(/\d/)
    await pressUntil(/similarity/)
    await page.keyboard.press('Enter')
    await page.waitForFunction((title) => document.querySelector('.panel h2')!.textContent !== title, first)
    await page.keyboard.press('Escape')
    expect(hash()).toBe('#/')
    expect(wrongs).toEqual([])
  })

  test('by touch on a phone, where nothing is wider than the screen', async () => {
    host.files['graph.json'] = JSON.stringify(makeGraph(300)) // without covers, which would hide the colour of the mark
    await newPage(PHONE)
    await recordDrawing()
    await page.goto(host.address)
    await interactive()
    const search = page.locator('.search input')
    expect((await search.boundingBox())!.y, 'the search lies where the thumb is').toBeGreaterThan(844 * 0.7)
    const marks = await discs()
    const extent = (values: number[]) => Math.max(...values) - Math.min(...values)
    const high = extent(marks.map(({ y }) => y))
    expect(high, 'the map stands upright').toBeGreaterThan(extent(marks.map(({ x }) => x)))
    await search.tap()
    await page.keyboard.type('Tale 40')
    const found = (await page.locator('[role=option]').first().boundingBox())!
    expect(found.y + found.height, 'above the keyboard').toBeLessThan(844 / 2)
    await page.locator('[role=option]').first().tap()
    expect(await page.locator('.panel .title-english').first().innerText()).toMatch(/Tale 40/)
    await settled()
    const [mark, dot] = await colors(
      (await drawn()).rings[0],
      (await page.locator('.cluster-line .dot').boundingBox())!,
    )
    expect(mark, 'the mark beside the panel').toEqual(dot)
    const nearest = (await page.locator('.panel .titles li').first().boundingBox())!
    expect(nearest.y + nearest.height, 'the nearest title, without scrolling').toBeLessThanOrEqual(844)
    await page.locator('.tools button', { hasText: 'View' }).tap()
    expect(await page.locator('.legend-box').isVisible()).toBe(true)
    await page.locator('.tools button', { hasText: 'View' }).tap()
    expect(await page.locator('.legend-box').count()).toBe(0)
    const title = await heading()
    await page.locator('.panel .titles a').nth(2).tap()
    await page.locator('.trail button', { hasText: title }).waitFor()
    for (const tool of ['View', 'Your scores', 'List']) {
      if (await page.locator('.close').isVisible()) await page.locator('.close').tap()
      await page.locator('.tools button', { hasText: tool }).tap()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    }
    expect(wrongs).toEqual([])
  })

  testOnce('at 400 % zoom nothing scrolls sideways, and the panel takes the width', async () => {
    await open('#/anime/1', { viewport: { width: 320, height: 256 } })
    await page.locator('.stars label').nth(8).click()
    const fits = async () => {
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll('html, .panel, .legend-box, .tools')]
          .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
          .map(({ className, scrollWidth }) => `${className}: ${scrollWidth}`),
      )
      expect(wide).toEqual([])
    }
    await fits()
    expect((await page.locator('.panel').boundingBox())!.width).toBeGreaterThan(300)
    await page.getByText('See recommendations').click()
    await page.locator('.recommendations li').first().waitFor()
    await page.getByText('Filters, less').click()
    await fits()
    await page.locator('.close').click()
    await page.locator('.tools button', { hasText: 'View' }).click()
    expect((await page.locator('.legend-box').boundingBox())!.width).toBeGreaterThan(280)
    await fits()
    // The buttons stay in reach.
    await page.locator('.tools button', { hasText: 'View' }).click()
    await page.locator('.search input').fill('tale 40')
    await page.locator('[role=option]').first().click()
    await page.locator('.panel h2').waitFor()
    expect(wrongs).toEqual([])
  })

  test('what a finger touches is 44 pixels high, and a mark takes a tap beside it', async () => {
    host.files['graph.json'] = threeInARow()
    await open('', PHONE)
    const tall = async () => {
      for (const part of await page
        .locator('button:visible, .stars label:visible, select:visible, .panel a:visible')
        .all())
        expect((await part.boundingBox())!.height, await part.innerText()).toBeGreaterThanOrEqual(44)
    }
    await tall()
    const free = await freePart()
    await page.touchscreen.tap(free.x, free.y + 24) // its radius is 12
    await page.locator('.panel h2', { hasText: 'Middle' }).waitFor()
    await page.locator('.stars label').nth(3).tap()
    await page.locator('.panel .titles a').first().tap()
    await page.locator('.trail').waitFor()
    await tall()
    await page.locator('.tools button', { hasText: 'Your scores' }).tap()
    await page.locator('.recommendations li').first().waitFor()
    await tall()
  })

  testOnce(
    'neither titles nor names of clusters are written on marks where there is room beside them',
    async () => {
      const graph = makeGraph(4)
      graph.anime.forEach((entry, k) =>
        Object.assign(
          entry,
          [
            { x: 0.5, y: 0.5 },
            { x: 0.5, y: 0.475 },
            { x: 0, y: 0 },
            { x: 1, y: 1 },
          ][k],
        ),
      )
      host.files['graph.json'] = JSON.stringify(graph)
      await newPage()
      await recordDrawing()
      await page.goto(host.address)
      await interactive()
      await settled()
      const free = await freePart()
      const { texts } = await drawn()
      expect(texts.length).toBeGreaterThan(4)
      for (const {
        text,
        box: [left, right, top, bottom],
      } of texts)
        for (const y of [free.y, free.y + 20])
          expect(left < free.x && right > free.x && top < y && bottom > y, text).toBe(false)
    },
  )

  testOnce('titles on the map never lie on each other, near or far', async () => {
    await newPage()
    await recordDrawing()
    await page.goto(host.address)
    await interactive()
    for (const steps of [0, 1, 2]) {
      for (let k = 0; k < steps; k++) {
        await page.getByLabel('Zoom in').click()
        await settled()
      }
      const boxes = (await drawn()).texts.map(({ box }) => box)
      expect(boxes.length).toBeGreaterThan(5)
      for (const [k, a] of boxes.entries())
        for (const b of boxes.slice(k + 1))
          expect(a[0] < b[1] && b[0] < a[1] && a[2] < b[3] && b[2] < a[3]).toBe(false)
    }
  })

  test('clusters can be switched off, and the list shows the same titles', async () => {
    await open()
    const row = page.locator('.legend li').first()
    const size = Number(await row.locator('.legend-count').innerText())
    await row.locator('input').click()
    await page.locator('.tools button', { hasText: 'List' }).click()
    expect(await page.locator('.list-head h2').innerText()).toBe(`${300 - size} titles`)
    await page.locator('.legend button', { hasText: 'None' }).click()
    expect(await page.locator('.notices').innerText()).toContain('All clusters are switched off.')
    await page.locator('.legend button', { hasText: 'All' }).click()
    expect(await page.locator('.list-head h2').innerText()).toBe('300 titles')
    await page.locator('.list-view .titles a').nth(5).click()
    expect(hash()).toBe('#/anime/16')
    expect(wrongs).toEqual([])
  })
})
