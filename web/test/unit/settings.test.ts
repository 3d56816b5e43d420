import { expect, test } from 'vitest'
import { DEFAULTS, formatSettings, formatShared, parseSettings, parseShared } from '../../src/data/settings'

test('an address without a query has the settings of the beginning, and those need none', () => {
  expect(parseSettings('')).toEqual(DEFAULTS)
  expect(formatSettings(DEFAULTS)).toBe('')
})

test('what is written into an address is read from it', () => {
  const settings = { color: 'year', off: new Set([3, 0, -1]), names: 'english', mine: false } as const
  expect(formatSettings(settings)).toBe('?color=year&off=-1,0,3&names=english&mine=0')
  expect(parseSettings(formatSettings(settings).slice(1))).toEqual(settings)
})

test('the address says a language only where it is chosen', () => {
  expect(parseSettings('names=romaji').names).toBe('romaji')
  expect(formatSettings({ ...DEFAULTS, names: 'romaji' })).toBe('?names=romaji')
  expect(parseSettings('names=klingon').names).toBe(null)
})

test('anything else in an address is left out', () => {
  expect(parseSettings('color=constructor&off=x,,1e9,2&names=%F0&mine=maybe&z=1')).toEqual({
    ...DEFAULTS,
    off: new Set([2]),
  })
})

test('scores are written and read; what is none is left out', () => {
  const scores = new Map([
    [1535, 10],
    [30, 0],
  ])
  expect(formatShared(scores)).toBe('r=1535-10,30-0')
  expect(parseShared('1535-10,30-0,x,5-11,7-3-2,-5-3')).toEqual(scores)
})
