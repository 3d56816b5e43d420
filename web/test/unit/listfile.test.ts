/** Exported lists: the table of cases that the tests in Python read too, and files that mean harm. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { JSDOM } from 'jsdom'
import { describe, expect, test } from 'vitest'
import { FileError } from '../../src/data/file'
import { parseList, readListFile, report } from '../../src/data/listfile'
import { PYTHON, ROOT } from '../python'

globalThis.DOMParser = new JSDOM().window.DOMParser

const CASES = resolve(ROOT, 'tests/cases')
const EXPECTED: Record<string, { error?: string }> = JSON.parse(
  readFileSync(resolve(CASES, 'exports.json'), 'utf8'),
)
/** Kind of error in exports.json -> words of the sentence. */
const SENTENCES: Record<string, string> = {
  'empty file': 'is empty',
  'manga list': 'is a manga list',
  'no anime': 'without anime',
  'other XML': 'is XML, but not a list',
  'no XML': 'is not XML',
  damaged: 'is damaged or cut off',
  DTD: 'has a DTD',
  'no ids in JSON': 'is JSON without MyAnimeList ids (idMal)',
  'no ids': 'none of them has a MyAnimeList id',
}

/** All that exported_list.py makes of the cases: every score and status, and the line on what was read. */
const REFERENCE = `
import json, sys
from aniembed.inputs.exported_list import read_exported_list
answers = {}
for name in json.load(sys.stdin):
    read = read_exported_list('tests/cases/exports/' + name)
    answers[name] = {
        'user': read.user_name, 'scores': list(read.scores.items()), 'statuses': list(read.statuses.items()),
        'report': read.report(),
    }
json.dump(answers, sys.stdout)
`

const readCase = (name: string) =>
  readListFile(new Blob([new Uint8Array(readFileSync(resolve(CASES, 'exports', name)))]))

test('every case is in the table', () => {
  expect(Object.keys(EXPECTED).sort()).toEqual(readdirSync(resolve(CASES, 'exports')).sort())
})

describe('the table of cases', () => {
  test.each(Object.entries(EXPECTED))('%s', async (name, { error, ...expected }) => {
    if (error) {
      await expect(readCase(name)).rejects.toThrow(FileError)
      await expect(readCase(name)).rejects.toThrow(SENTENCES[error])
      return
    }
    const read = await readCase(name)
    const told = {
      user: read.user,
      entries: read.entries,
      titles: read.scores.size,
      with_score: [...read.scores.values()].filter((score) => score > 0).length,
      without_id: read.withoutId,
      unreadable_scores: read.unreadableScores,
      scale: read.scale,
      scores: Object.fromEntries(read.scores),
      ...('statuses' in expected && { statuses: Object.fromEntries(read.statuses) }),
    }
    expect(told).toMatchObject(expected)
    if ('statuses' in expected) expect(told.statuses).toEqual(expected.statuses)
  })

  test('every score, status and report is that of exported_list.py', async () => {
    const names = Object.keys(EXPECTED).filter((name) => !EXPECTED[name].error)
    const python = spawnSync(PYTHON, ['-c', REFERENCE], {
      cwd: ROOT,
      input: JSON.stringify(names),
      encoding: 'utf8',
    })
    if (python.status !== 0) throw new Error(`${PYTHON}: ${python.error ?? python.stderr}`)
    const answers = JSON.parse(python.stdout)
    for (const name of names) {
      const read = await readCase(name)
      const { user, scores, statuses } = read
      const told = {
        user,
        scores: [...scores],
        statuses: [...statuses],
        report: report(read, 9).replace(', 9 on this map', ''),
      }
      expect(told, name).toEqual(answers[name])
    }
  })
})

test('damage is named by its line', async () => {
  await expect(readCase('53_cut_off.xml')).rejects.toThrow('in line 5.')
})

test('takes what stands in a title as text', () => {
  const trap =
    '</anime><anime><series_animedb_id>7</series_animedb_id><my_score>10</my_score></anime> <b>&amp;'
  const list = `<myanimelist><anime><series_animedb_id>5</series_animedb_id><series_title><![CDATA[${trap}]]></series_title><my_score>8</my_score></anime></myanimelist>`
  expect([...parseList(list).scores]).toEqual([[5, 8]])
})

describe('refuses with a sentence', () => {
  const list = '<myanimelist><anime><series_animedb_id>1</series_animedb_id></anime></myanimelist>'
  const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
  test.each([
    ['a bomb behind a comment', `<!-- <a> -->${bomb}${list}`, 'has a DTD'],
    [
      'a bomb behind a processing instruction',
      `<?xml version="1.0"?> <?a <b> ?>\n${bomb}${list}`,
      'has a DTD',
    ],
    ['a bomb behind a harmless DTD', `<!DOCTYPE a>${bomb}${list}`, 'has a DTD'],
    ['a bomb that mending would arm', `\x01${bomb}${list}`, 'has a DTD'],
    ['a bomb behind the first tag', `<a/>${bomb}${list}`, 'damaged'],
    ['text', 'hello', 'not XML'],
  ])('%s', (_what, text, words) => {
    expect(() => parseList(text)).toThrow(FileError)
    expect(() => parseList(text)).toThrow(words)
  })

  test.each([
    ['xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58)],
    ['bzip2', 'BZh9'],
  ])('a file packed with %s', async (name, start) => {
    await expect(readListFile(new Blob([start, 'rest']))).rejects.toThrow(`packed with ${name}`)
  })
  test('a file that unfolds into two hundred megabytes', async () => {
    const zeros = gzipSync(Buffer.alloc(200 * 2 ** 20))
    await expect(readListFile(new Blob([zeros]))).rejects.toThrow(/larger than 64 MB/)
    const archive =
      "import sys, zipfile; zipfile.ZipFile(sys.stdout.buffer, 'w', 8).writestr('a', bytes(2**27))"
    const { stdout } = spawnSync(PYTHON, ['-c', archive])
    await expect(readListFile(new Blob([stdout]))).rejects.toThrow(/larger than 64 MB/)
  })
  test('a file without end, at the bound', async () => {
    let megabytes = 0
    const stream = () =>
      new ReadableStream({
        pull: (controller) => {
          megabytes++
          controller.enqueue(new Uint8Array(2 ** 20))
        },
      })
    const endless = { slice: () => new Blob(['<m']), stream } as unknown as Blob
    await expect(readListFile(endless)).rejects.toThrow(/larger than 64 MB/)
    expect(megabytes).toBeLessThan(72)
  })
  test('a file that was moved', async () => {
    const stream = () => new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) })
    const gone = { slice: () => ({ stream }), stream } as unknown as Blob
    await expect(readListFile(gone)).rejects.toThrow('could not be read')
  })
})
