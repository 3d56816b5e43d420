/** The single page in Debian's Firefox, from file://. Skipped where there is no Firefox. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { FIREFOX, launchFirefox } from '../firefox.mjs'
import { fillExplorer } from '../harness.mjs'
import { makeGraph } from '../random-graph.mjs'

/** Runs in the page: search, two steps, a dropped list, recommendations. Returns what is seen on the way. */
async function visit() {
  const find = async <Found extends Element>(selector: string): Promise<Found> => {
    for (let waited = 0; waited < 20_000; waited += 50) {
      const found = document.querySelector<Found>(selector)
      if (found) return found
      await new Promise((done) => setTimeout(done, 50))
    }
    throw new Error(`There is no ${selector}.`)
  }
  const violations: string[] = []
  addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective))
  const field = await find<HTMLInputElement>('.search input')
  field.focus()
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(field, 'tale 40')
  field.dispatchEvent(new Event('input', { bubbles: true }))
  const option = await find<HTMLElement>('[role=option]')
  option.click()
  const neighbour = await find<HTMLElement>('.panel .titles a')
  neighbour.click()
  const second = await find('.trail li + li')
  const trail = [...second.parentElement!.children].map((item) => item.textContent)

  const entry = '<anime><series_animedb_id>1</series_animedb_id><my_score>9</my_score></anime>'
  const dataTransfer = new DataTransfer()
  dataTransfer.items.add(new File([`<myanimelist>${entry}</myanimelist>`], 'list.xml'))
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
  await find('.recommendations li')
  return {
    trail,
    recommendations: document.querySelectorAll('.recommendations li').length,
    reason: document.querySelector('.reason')!.firstChild!.textContent,
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
      reason: graph.anime[0].title,
      kept: '{"entries":[[1,9]],"unwanted":[],"muted":[]}',
      violations: [],
      requests: [],
    })
  } finally {
    await firefox.quit()
    rmSync(directory, { recursive: true })
  }
})
