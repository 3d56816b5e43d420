/** How the map is shown: the own list, colours, language, links, a picture, the panel on a phone. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { WEB } from '../harness.mjs'
import { makeGraph } from '../random-graph.mjs'
import {
  colors,
  covers,
  discs,
  drawn,
  dropFile,
  exported,
  hash,
  heading,
  host,
  interactive,
  newPage,
  open,
  PHONE,
  page,
  pixels,
  recordDrawing,
  serveAgain,
  serveCoversAgain,
  settled,
  WIDE,
  wrongs,
} from './visit'

beforeEach(() => {
  host.files['graph.json'] = readFileSync(resolve(WEB, 'sample/graph.json'))
})

const LIST = [
  [1535, 10],
  [5114, 9],
  [9253, 3],
  [4224, 0, 'plan_to_watch'],
]
const STORED = JSON.stringify({ entries: LIST, unwanted: [], muted: [] })

async function openWithList(hash = '', options = WIDE) {
  await newPage(options)
  await recordDrawing()
  await page.addInitScript((list) => localStorage.setItem('aniembed-scores', list), STORED)
  await page.addInitScript(() => {
    Object.assign(window, { questions: 0 })
    const { postMessage } = Worker.prototype
    Worker.prototype.postMessage = function (this: Worker, message: object) {
      if ('options' in message) (window as unknown as { questions: number }).questions++
      postMessage.call(this, message)
    }
  })
  await page.goto(host.address + hash)
  await interactive()
  await settled()
}

test('the own list is on the map, and a switch takes it off', async () => {
  await openWithList()
  const marks = await discs()
  const ringed = async () => {
    const { rings } = await drawn()
    return LIST.filter(([id]) => {
      const disc = marks.find((mark) => mark.id === id)!
      return rings.some(({ x, y }) => Math.hypot(x - disc.x, y - disc.y) < 0.1)
    }).length
  }
  await expect.poll(ringed).toBe(4)
  const control = page.getByLabel('Your list on the map')
  await control.uncheck()
  await expect.poll(ringed).toBe(0)
  expect(hash()).toBe('#/?mine=0')
  await page.reload()
  await interactive()
  expect(await control.isChecked()).toBe(false)
  expect(wrongs).toEqual([])
})

test('every colouring has a legend and is in the address', async () => {
  await openWithList('#/?mine=0')
  const select = page.locator('.view-choices select').first()
  const colours = () =>
    page.evaluate(() => (document.querySelector('.scale') as HTMLElement | null)?.innerText ?? null)
  expect(await colours()).toBe(null)
  // The land lies around the discs, in the colours of the clusters, and nowhere else.
  const sea = [247, 246, 243].join()
  const { x, y, radius } = (await discs()).find(({ id }) => id === 1535)!
  const around = Array.from({ length: 8 }, (_, k) => ({
    x: x + (radius + 5) * Math.cos((k * Math.PI) / 4),
    y: y + (radius + 5) * Math.sin((k * Math.PI) / 4),
  }))
  const onSea = async () => {
    const [, ...found] = await pixels(await page.screenshot(), around)
    return found.filter((color) => color.join() === sea).length
  }
  expect(await onSea()).toBeLessThan(4)
  for (const [color, text] of [
    ['mean', /6\.\d[\s\S]*9\.1/],
    ['year', /1989[\s\S]*2022/],
    ['score', /3\.0[\s\S]*10\.0/],
  ] as const) {
    await select.selectOption(color)
    expect(await colours()).toMatch(text)
    expect(hash()).toContain(`color=${color}`)
  }
  await expect.poll(onSea).toBeGreaterThan(3)
  expect(wrongs).toEqual([])
})

test('without a list there is no colouring by score', async () => {
  await open()
  expect(await page.locator('option[value=score]').isDisabled()).toBe(true)
})

test('English titles are everywhere, and both languages are searched', async () => {
  await newPage()
  await recordDrawing()
  await page.goto(host.address)
  await interactive()
  await page.locator('.view-choices select').nth(1).selectOption('english')
  await settled()
  const texts = (await drawn()).texts.map(({ text }) => text)
  expect(texts).toContain('Attack on Titan')
  expect(texts).not.toContain('Shingeki no Kyojin')
  await page.keyboard.press('/')
  await page.keyboard.type('shingeki no kyojin')
  await page.keyboard.press('Enter')
  expect(await heading()).toBe('Attack on Titan')
  expect(await page.locator('.panel .titles .title-name').first().innerText()).toMatch(/^Attack on Titan/)
  expect(hash()).toBe('#/anime/16498?names=english')
  await page.goBack()
  expect(hash()).toBe('#/?names=english')
  for (const [text, name] of [
    ['進撃の巨', 'Attack on Titan'],
    ['aot', 'Attack on Titan'],
    ['kyoani', 'Kyoto Animation'],
  ]) {
    await page.keyboard.press('/')
    await page.keyboard.type(text)
    await page.keyboard.press('Enter')
    expect(await heading()).toBe(name)
  }
  expect(wrongs).toEqual([])
})

test('a map that was drawn in English opens in English, until the user switches', async () => {
  const graph = JSON.parse(readFileSync(resolve(WEB, 'sample/graph.json'), 'utf8'))
  graph.settings.TITLES = 'english'
  host.files['graph.json'] = JSON.stringify(graph)
  await open('#/anime/16498')
  expect(await heading()).toBe('Attack on Titan')
  expect(hash()).toBe('#/anime/16498')
  const language = page.locator('.view-choices select').nth(1)
  await language.selectOption('romaji')
  expect(await heading()).toBe('Shingeki no Kyojin')
  await page.reload()
  expect(await heading()).toBe('Shingeki no Kyojin')
  expect(hash()).toBe('#/anime/16498?names=romaji')
  await language.selectOption('english')
  expect(await heading()).toBe('Attack on Titan')
  expect(hash()).toBe('#/anime/16498')
  expect(wrongs).toEqual([])
})

test('a link has title, filters and colouring, and scores only on request', async () => {
  await openWithList('#/anime/1535?color=year&off=1')
  const link = page.locator('.shared-link input')
  await page.getByText('Copy link').click()
  const plain = await link.inputValue()
  expect(plain).toBe(`${host.address}#/anime/1535?color=year&off=1`)
  await page.getByText('Link with your scores').click()
  await expect.poll(() => link.inputValue()).toBe(`${plain}&r=1535-10,5114-9,9253-3,4224-0`)
})

test('the link asked for last is shown, also where the browser answers late', async () => {
  await openWithList('#/anime/1535')
  await page.evaluate(() => {
    const answers: (() => void)[] = []
    Object.assign(window, { answers })
    navigator.clipboard.writeText = () => new Promise((done) => answers.push(done))
  })
  await page.getByText('Link with your scores').click()
  await page.getByText('Copy link').click()
  await page.evaluate(async () => {
    for (const answer of (window as unknown as { answers: (() => void)[] }).answers.reverse()) {
      answer()
      await new Promise((done) => setTimeout(done, 50))
    }
  })
  expect(await page.locator('.shared-link input').inputValue()).toBe(`${host.address}#/anime/1535`)
})

test('scores of a link are looked at, and kept only on request', async () => {
  await openWithList('#r=16498-10,20-2')
  const kept = () => page.evaluate(() => localStorage.getItem('aniembed-scores'))
  const badge = () => page.locator('.badge').innerText()
  expect(await badge()).toBe('2')
  expect(await kept()).toBe(STORED)
  // One question for one list.
  await settled()
  expect(await page.evaluate(() => (window as unknown as { questions: number }).questions)).toBe(1)
  await page.locator('.tools button', { hasText: 'scores' }).click()
  await page.locator('.recommendations li').first().waitFor()
  expect(await heading()).toBe('Shared scores')
  expect(await page.locator('.panel input[type=file]').count()).toBe(0)
  await page.locator('.recommendations a').first().click()
  await page.locator('.likely', { hasText: /Likely score \d/ }).waitFor()
  expect(await page.locator('.stars').count()).toBe(0)
  await page.locator('.panel').getByText('Back to mine').click()
  expect(await page.locator('.stars').count()).toBe(1)
  expect(await badge()).toBe('3')
  expect(hash()).not.toContain('r=')

  await page.goto(`${host.address}#r=16498-10,1535-2`)
  await page.reload()
  await page.getByText('Watch together').click()
  await page.locator('.tools button', { hasText: 'Your scores' }).click()
  const row = page.locator('.recommendations li', { hasText: /\d\.\d · \d\.\d/ }).first()
  await row.filter({ hasText: /they: / }).waitFor()
  expect(await heading()).toBe('Watch together')
  for (const id of [16498, 1535, 5114])
    expect(await page.locator(`.recommendations a[href="#/anime/${id}"]`).count()).toBe(0)
  await page.locator('.panel').getByText('Back to mine').click()
  await page.locator('.recommendations li', { hasText: 'because of' }).first().waitFor()
  const friend = Buffer.from(exported([[20, 10]]))
  const friendFile = page.getByLabel('List file').nth(1)
  await friendFile.setInputFiles({ name: 'friend.xml', mimeType: 'text/xml', buffer: friend })
  await row.waitFor()
  expect(await kept()).toBe(STORED)

  await page.goto(`${host.address}#r=16498-10,1535-2`)
  await page.reload()
  await page.getByText('Add to mine').click()
  expect(await badge()).toBe('4')
  // The own score of 1535 stays.
  expect(await kept()).toContain('[1535,10]')
  expect(await kept()).toContain('[16498,10]')
  expect(wrongs).toEqual([])
})

test('a list that is dropped while the scores of a link are looked at is added to the own one', async () => {
  await openWithList('#r=16498-10,20-2')
  await dropFile('list.xml', Buffer.from(exported([[30, 7]])))
  await page.locator('.last-change', { hasText: '1 entries read' }).waitFor()
  expect(await heading()).toBe('Your scores')
  expect(hash()).not.toContain('r=')
  const kept = await page.evaluate(() => localStorage.getItem('aniembed-scores'))
  expect(kept).toContain('[30,7]')
  expect(kept).toContain('[1535,10]')
  expect(kept).not.toContain('16498')
  expect(wrongs).toEqual([])
})

test('the map is saved as a picture with discs and names', async () => {
  await openWithList()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByText('Save picture').click(),
  ])
  expect(download.suggestedFilename()).toBe('aniembed.png')
  const disc = (await discs()).find(({ id }) => id === 1535)!
  const [size, corner, middle] = await pixels((await download.path())!, [{ x: 2, y: 2 }, disc])
  expect(size).toEqual([1440, 900])
  expect(corner).toEqual([247, 246, 243])
  expect(middle).not.toEqual(corner)
  expect(wrongs).toEqual([])
})

test.each([true, false])(
  'covers lie on the discs and in the panel; the host allows pages to read them: %s',
  async (cors) => {
    await serveCoversAgain(cors)
    if (process.env.FROM !== 'file') await serveAgain({}, { covers: covers.address })
    host.files['graph.json'] = JSON.stringify(makeGraph(60, { covers: covers.address }))
    await newPage()
    await recordDrawing()
    await page.goto(`${host.address}#/anime/10`)
    await interactive()
    const cover = [(10 * 67) % 256, (10 * 151) % 256, (10 * 29) % 256]
    const seen = async () =>
      colors((await drawn()).rings[0], (await page.locator('.title-head img').boundingBox())!)
    await expect.poll(seen).toEqual([cover, cover])
    // The rim keeps the colour of the cluster.
    const { x, y, radius } = (await discs()).find(({ id }) => id === 10)!
    const dot = (await page.locator('.cluster-line .dot').boundingBox())!
    const [rim, cluster] = await colors({ x: x - 0.93 * radius, y }, dot)
    expect(Math.max(...rim.map((value, k) => Math.abs(value - cluster[k])))).toBeLessThan(60)
    // Where the covers cannot be read, a saved picture has the discs without them.
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByText('Save picture').click(),
    ])
    const [, saved] = await pixels((await download.path())!, [{ x, y }])
    expect(saved).toEqual(cors ? cover : cluster)
    const refused = wrongs.filter((text) => /CORS|ERR_FAILED/.test(text))
    expect(wrongs).toEqual(refused)
    expect(refused.length).toBe(cors ? 0 : 2)
  },
)

test('a finger drags the panel to other heights, and the map keeps what it shows in sight', async () => {
  await open('#/anime/1535', PHONE)
  await settled()
  const panel = page.locator('.panel')
  const height = async () => (await panel.boundingBox())!.height
  const before = await height()
  const touch = await page.context().newCDPSession(page)
  const at = (type: string, y: number) =>
    touch.send('Input.dispatchTouchEvent', {
      type: type as 'touchStart',
      touchPoints: type === 'touchEnd' ? [] : [{ x: 150, y }],
    })
  const drag = async (by: number) => {
    const { y } = (await page.locator('.panel-head').boundingBox())!
    await at('touchStart', y + 20)
    for (let k = 1; k <= 8; k++) await at('touchMove', y + 20 + (by * k) / 8)
    await at('touchEnd', 0)
    await settled()
  }
  await drag(250)
  expect(await height()).toBeLessThan(before - 150)
  await drag(-600)
  expect(await height()).toBeGreaterThan(before + 150)
  await page.getByLabel('Change the height of the panel').press('Enter')
  await settled()
  expect(await height()).toBeLessThan(before)
  const box = (await panel.boundingBox())!
  const disc = (await discs()).find(({ id }) => id === 1535)!
  expect(disc.y).toBeLessThan(box.y)
  expect(disc.y).toBeGreaterThan(56)
  // A panel that goes under the finger leaves nothing behind.
  await at('touchStart', box.y + 20)
  await at('touchMove', box.y - 40)
  expect(await page.locator('[data-dragging]').count()).toBe(1)
  await page.keyboard.press('Escape')
  await at('touchEnd', 0)
  await panel.waitFor({ state: 'detached' })
  expect(await page.locator('[data-dragging]').count()).toBe(0)
  expect(wrongs).toEqual([])
})

test('the hover card names cluster and nearest titles, lies beside every panel, and goes in a drag', async () => {
  await open('#/anime/1535')
  await settled()
  const panels = await Promise.all(
    (await page.locator('.panel, .legend-box').all()).map(async (panel) => (await panel.boundingBox())!),
  )
  let cards = 0
  for (const { x, y } of await discs()) {
    const under = panels.some(
      (box) => x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height,
    )
    if (under || y < 70 || y > 890 || x < 10 || x > 1020) continue
    await page.mouse.move(x, y)
    const card = page.locator('.hover-card')
    if ((await card.count()) === 0) continue
    const box = (await card.boundingBox())!
    cards++
    for (const panel of panels.filter(({ width }) => width > 300))
      expect(box.x + box.width).toBeLessThanOrEqual(panel.x)
    if (cards === 1) {
      expect(await card.locator('.nearest li').count()).toBe(3)
      expect(await card.locator('.cluster-line').innerText()).toMatch(/ & /)
    }
  }
  expect(cards).toBeGreaterThan(20)
  const { x, y } = (await discs()).find(({ x, y }) => x > 400 && x < 900 && y > 200 && y < 700)!
  await page.mouse.move(x, y)
  const card = page.locator('.hover-card')
  await card.waitFor()
  await page.mouse.down()
  await page.mouse.move(x + 40, y + 30, { steps: 8 })
  await card.waitFor({ state: 'detached' })
  await page.mouse.up()
})

test('a mouse that rests where stars appear gives no score', async () => {
  await open('#/anime/1535')
  const box = (await page.locator('.stars label').nth(6).boundingBox())!
  await page.locator('.close').click()
  await page.mouse.move(box.x + 8, box.y + 8)
  await page.goBack()
  await page.locator('.stars').waitFor()
  await page.waitForTimeout(500)
  expect(await page.locator('.stars .lit, .stars .preview').count()).toBe(0)
})
