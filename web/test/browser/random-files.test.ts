/** Files changed at random, the same in every run: a sentence, or a page that works. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { parseGraph } from '../../src/data/graph'
import { damageBytes, damagedGraph, damagedList } from '../damage.mjs'
import { randomNumbers } from '../random-graph.mjs'
import { covers, dropFile, host, interactive, newPage, open, page, wrongs } from './visit'

describe('files damaged at random, the same in every run', () => {
  test('10 graphs that the page does not refuse: every one can be walked', async () => {
    const random = randomNumbers(10)
    /**
     * What parseGraph refuses ends in a sentence before anything is drawn; test/unit/damage.test.ts has
     * those.
     */
    const nextWhole = (): string => {
      const text = damagedGraph(random, covers.address)
      try {
        parseGraph(text)
      } catch {
        return nextWhole()
      }
      return text
    }
    await newPage()
    for (let number = 0; number < 10; number++) {
      host.files['graph.json'] = nextWhole()
      await page.goto(`${host.address}#/`)
      await page.reload()
      await interactive()
      await page.locator('.map-keys').press('ArrowLeft')
      await page.keyboard.press('Enter')
      await page.locator('.panel h2').waitFor()
      await page.locator('.tools button', { hasText: 'List' }).click()
      await page.locator('.list-view .titles a').first().click()
      await page.locator('.stars label').nth(8).click()
      await page.locator('.tools button', { hasText: 'Your scores' }).click()
      await page.locator('.recommendations li, .panel > .message').first().waitFor()
      expect(wrongs, `graph ${number}: ${wrongs.join(' | ')}`).toEqual([])
    }
  })

  test('60 lists: scores or a sentence', async () => {
    const random = randomNumbers(60)
    const ends = { scores: 0, sentence: 0 }
    await open('#/scores')
    for (let number = 0; number < 60; number++) {
      const text = damagedList(random)
      await page.evaluate(() => {
        document.querySelector<HTMLElement>('.last-change [aria-label="Dismiss"]')?.click()
        document.querySelector('.message.bad')?.classList.add('old')
      })
      await dropFile('animelist.xml', number % 2 ? damageBytes(random, gzipSync(text)) : Buffer.from(text))
      const message = page.locator('.panel [role=status] .message:not(.old)')
      await message.waitFor()
      const bad = (await message.getAttribute('class'))!.includes('bad')
      expect(await message.innerText()).toMatch(
        bad ? /^[A-Z].*\.$/ : /: \d entries read, \d with a score, \d on this map[^.]*\.\s+Undo\s+×$/,
      )
      ends[bad ? 'sentence' : 'scores']++
      expect(wrongs, `list ${number}`).toEqual([])
    }
    expect(Math.min(ends.scores, ends.sentence)).toBeGreaterThan(5)
  })
})
