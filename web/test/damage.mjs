/** Files damaged at random, the same in every run, for the unit tests and the browser tests. */
import { makeGraph } from './random-graph.mjs'

/** JSON that a title, a number, a list or an address of graph.json should not be. */
const WRONG_VALUES = [
  'null',
  'true',
  '-1',
  '0',
  '0.5',
  '7',
  '1e308',
  '-1e308',
  '1e999',
  '9007199254740993',
  '""',
  '" "',
  '"7"',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"__proto__": 1}',
  '"javascript:alert(1)"',
  '"https://elsewhere.test/1.png"',
  '"\\u0000\\ud800"',
  '"<script>alert(1)</script>"',
  `"${'long '.repeat(20_000)}"`,
]

const WRONG_MARKUP = [
  '<',
  '>',
  '&',
  '&amp;',
  '&#0;',
  ']]>',
  '<![CDATA[',
  '<!--',
  '-->',
  '<?xml version="1.0"?>',
  '<!DOCTYPE x>',
  '<!ENTITY a "b">',
  '<anime>',
  '</anime>',
  '<anime/>',
  '</myanimelist>',
  '<manga></manga>',
  '<my_score>',
  '<series_animedb_id>',
  'NaN',
  '1e3',
  '-5',
  '0x1f',
  '99',
  '\0',
  '\ufffe',
  '\ud800',
  '<a xmlns="x:y">',
  '<b:c/>',
  ' '.repeat(5000),
]

const WRONG_NUMBERS = ['', ' 9 ', 'x', 'NaN', '0', '-1', '11', '7.5', '1e1', '99999999999999999999']

/** @param {() => number} random */
const pick = (random, list) => list[Math.floor(random() * list.length)]

/**
 * Return the text with up to two parts cut out, doubled, or replaced by one of `pieces`; every tenth is cut
 * short.
 */
function damageText(random, text, pieces) {
  for (let times = Math.floor(random() * 3); times > 0; times--) {
    const start = Math.floor(random() * text.length),
      end = start + Math.floor(random() ** 6 * 200)
    const piece = pick(random, ['', text.slice(start, end).repeat(2), pick(random, pieces)])
    text = text.slice(0, start) + piece + text.slice(end)
  }
  return random() < 0.1 ? text.slice(0, Math.floor(random() * text.length)) : text
}

/**
 * Return graph.json of 40 titles with one to six values replaced, left out or doubled; in every fourth the
 * text is damaged, too.
 * @param {() => number} random
 * @param {string} covers the address of their host
 */
export function damagedGraph(random, covers) {
  const graph = makeGraph(40, { covers })
  const wrong = []
  for (let times = Math.floor(random() * 6); times >= 0; times--) {
    let owner = graph,
      key = pick(random, Object.keys(graph))
    while (
      typeof owner[key] === 'object' &&
      owner[key] !== null &&
      random() < 0.95 &&
      Object.keys(owner[key]).length > 0
    ) {
      owner = owner[key]
      key = pick(random, Object.keys(owner))
    }
    const how = random()
    if (how < 0.15) delete owner[key]
    else if (how < 0.3 && Array.isArray(owner)) owner.push(owner[key])
    else owner[key] = `wrong ${wrong.push(pick(random, WRONG_VALUES)) - 1}`
  }
  const text = JSON.stringify(graph).replace(/"wrong (\d+)"/g, (_all, k) => wrong[k])
  return random() < 0.25 ? damageText(random, text, WRONG_VALUES) : text
}

/** Return an exported list of five entries, damaged. */
export function damagedList(random) {
  const number = (right) => (random() < 0.1 ? pick(random, WRONG_NUMBERS) : right)
  const entry = (id) =>
    `<anime><series_animedb_id>${number(id)}</series_animedb_id><series_title><![CDATA[A & B]]></series_title><my_score>${number(id % 11)}</my_score></anime>`
  const whole = `<?xml version="1.0" encoding="UTF-8" ?><myanimelist><myinfo><user_name>fan</user_name></myinfo>${[1, 20, 30, 1535, 5114].map(entry).join('\n')}</myanimelist>`
  return damageText(random, whole, WRONG_MARKUP)
}

/** Return the bytes with a few of them changed. */
export function damageBytes(random, bytes) {
  const damaged = Buffer.from(bytes)
  for (let times = Math.floor(random() * 3); times > 0; times--)
    damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256)
  return damaged
}
