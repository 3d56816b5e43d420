import { gzipSync } from 'node:zlib'
import { JSDOM } from 'jsdom'
import { describe, expect, test } from 'vitest'
import { FileError } from '../../src/file'
import { parseList, readListFile } from '../../src/listfile'

globalThis.DOMParser = new JSDOM().window.DOMParser

const entry = (id: number | string, score: number | string, title = 'A title') =>
  `<anime><series_animedb_id>${id}</series_animedb_id><series_title><![CDATA[${title}]]></series_title><my_score>${score}</my_score><my_status>Completed</my_status></anime>`
const list = (...entries: string[]) =>
  `<?xml version="1.0" encoding="UTF-8" ?>\n<!--\n Created by XML Export feature at MyAnimeList.net\n-->\n<myanimelist><myinfo><user_name>some_fan</user_name></myinfo>${entries.join('')}</myanimelist>`

test('reads name, ids and scores; 0 stays 0', () => {
  const { user, scores } = parseList(list(entry(1535, 9), entry(20, 0), entry(1, 10)))
  expect(user).toBe('some_fan')
  expect([...scores]).toEqual([
    [1535, 9],
    [20, 0],
    [1, 10],
  ])
})

test('takes what stands in a title as text', () => {
  const trap =
    '</anime><anime><series_animedb_id>7</series_animedb_id><my_score>10</my_score></anime> <b>&amp;'
  expect([...parseList(list(entry(5, 8, trap))).scores]).toEqual([[5, 8]])
})

test('passes over entries without a usable id, and scores that are none', () => {
  const { scores } = parseList(
    list(entry('x', 9), entry(-3, 9), entry('', 9), entry(4, 11), entry(6, '7.5'), entry(8, 7)),
  )
  expect([...scores]).toEqual([
    [4, 0],
    [6, 0],
    [8, 7],
  ])
})

test('reads plain and gzipped files alike, whatever they are called', async () => {
  const text = list(entry(1535, 9))
  for (const data of [Buffer.from(text), gzipSync(text)])
    expect([...(await readListFile(new Blob([data]))).scores]).toEqual([[1535, 9]])
})

describe('refuses with a sentence', () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "${'a'.repeat(1000)}"><!ENTITY b "&a;&a;&a;&a;">]><myanimelist>&b;</myanimelist>`
  test.each([
    ['an XML bomb', bomb, /document type/],
    ['text', 'hello', /not XML/],
    ['a list that is cut short', list(entry(1, 9)).slice(0, -20), /damaged/],
    ['other XML', '<html><body/></html>', /not a list/],
    [
      'a manga list',
      '<myanimelist><manga><series_mangadb_id>2</series_mangadb_id></manga></myanimelist>',
      /manga/,
    ],
    ['an empty list', list(), /no anime/],
    ['an empty file', '', /is empty/],
    ['a list without ids', list(entry('x', 9)), /no entry with/],
  ])('%s', (_what, text, message) => {
    expect(() => parseList(text)).toThrow(FileError)
    expect(() => parseList(text)).toThrow(message)
  })

  test('a file that unfolds into two hundred megabytes, without unfolding it', async () => {
    const zeros = gzipSync(Buffer.alloc(200 * 2 ** 20))
    const start = performance.now()
    await expect(readListFile(new Blob([zeros]))).rejects.toThrow(/larger than 32 MB/)
    expect(performance.now() - start).toBeLessThan(2000)
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
    await expect(readListFile({ slice: () => new Blob(['<m']), stream } as unknown as Blob)).rejects.toThrow(
      /larger than 32 MB/,
    )
    expect(megabytes).toBeLessThan(40)
  })
  test('a gzipped file that is cut short', async () => {
    const whole = gzipSync(list(entry(1535, 9)))
    await expect(readListFile(new Blob([whole.subarray(0, whole.length - 12)]))).rejects.toThrow(/damaged/)
  })
})
