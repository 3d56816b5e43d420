/** The single page in Debian's Firefox, from file://. Skipped where there is no Firefox. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { FIREFOX, launchFirefox } from '../firefox.mjs'
import { fillExplorer } from '../harness.mjs'
import { makeGraph } from '../random-graph.mjs'

/**
 * Runs in the page: search, two steps, a dropped list, recommendations and why, filters, taste, colours,
 * language. Returns what is seen on the way.
 */
async function visit() {
  const find = async <Found extends Element>(selector: string): Promise<Found> => {
    for (let waited = 0; waited < 20_000; waited += 50) {
      const found = document.querySelector<Found>(selector)
      if (found) return found
      await new Promise((done) => setTimeout(done, 50))
    }
    throw new Error(`There is no ${selector}.`)
  }
  const press = async (selector: string) => (await find<HTMLElement>(selector)).click()
  const choose = async (selector: string, value: string) => {
    const field = await find<HTMLSelectElement>(selector)
    Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value')!.set!.call(field, value)
    field.dispatchEvent(new Event('change', { bubbles: true }))
  }
  const violations: string[] = []
  addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective))
  const field = await find<HTMLInputElement>('.search input')
  const search = async (text: string) => {
    field.focus()
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(field, text)
    field.dispatchEvent(new Event('input', { bubbles: true }))
    await press('[role=option]')
    return (await find<HTMLElement>('.panel h2')).innerText
  }
  const studio = await search('studio 7')
  const japanese = await search('第41話')
  await search('tale 40')
  await press('.panel .titles a')
  const second = await find('.trail li + li')
  const trail = [...second.parentElement!.children].map((item) => item.textContent)

  const entry = '<anime><series_animedb_id>1</series_animedb_id><my_score>9</my_score></anime>'
  const dataTransfer = new DataTransfer()
  dataTransfer.items.add(new File([`<myanimelist>${entry}</myanimelist>`], 'list.xml'))
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
  await find('.recommendations li')
  const recommendations = document.querySelectorAll('.recommendations li').length
  const reason = document.querySelector('.reason')!.firstChild!.textContent
  await press('.about-list details + details summary')
  await find('.scatter circle')
  await choose('.choice select', 'movie')
  await find('.chip')
  await press('.recommendations a')
  await press('.explanation summary')
  const why = (await find('.explanation li')).textContent
  await choose('.view-choices select', 'mean')
  await find('.scale')
  await choose('.view-choices label + label select', 'english')
  return {
    trail,
    studio,
    japanese,
    recommendations,
    reason,
    why,
    hash: location.hash,
    kept: localStorage.getItem('aniembed-scores'),
    violations,
    requests: performance
      .getEntriesByType('resource')
      .map(({ name }) => name)
      .filter((name) => !/^(blob|data):/.test(name)),
  }
}

test.skipIf(!existsSync(FIREFOX))('search, walk, drop an export, recommend', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'aniembed-'))
  const path = join(directory, 'explore.html')
  const graph = makeGraph(60)
  writeFileSync(path, fillExplorer(graph))
  const firefox = await launchFirefox()
  try {
    await firefox.open(pathToFileURL(path).href)
    const seen = await firefox.run(visit)
    expect(seen.trail).toHaveLength(2)
    expect(seen.recommendations).toBe(20)
    expect(seen).toMatchObject({
      studio: 'Studio 7',
      japanese: graph.anime[41].title,
      reason: graph.anime[0].title,
      why: `${graph.anime[0].title} score 9100.0 %`,
      hash: expect.stringMatching(/^#\/anime\/\d+\?color=mean&names=english$/),
      kept: '{"entries":[[1,9]],"unwanted":[],"muted":[]}',
      violations: [],
      requests: [],
    })
  } finally {
    await firefox.quit()
    rmSync(directory, { recursive: true })
  }
})
