/** What the browser tests and the figures share: a static host, a generated graph, a browser. */

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, resolve } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { chromium } from 'playwright-core'

export const WEB = resolve(import.meta.dirname, '..')
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
}

/**
 * A static host for web/dist under `/shelf/anime/` of a free port. `files` replaces or adds files by name: a text, a Buffer,
 * null for 404, or a function that answers itself. Nothing but files: no fallback to index.html, as on the plainest of hosts.
 * @param {Record<string, string | Buffer | null | ((response: import('node:http').ServerResponse) => void)>} files
 */
export async function serve(files = {}) {
  const prefix = '/shelf/anime/'
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://host').pathname)
    const name = path.startsWith(prefix) ? path.slice(prefix.length) || 'index.html' : null
    try {
      if (name === null || files[name] === null) throw Object.assign(new Error('missing'), { code: 'ENOENT' })
      const body = files[name] ?? (await readFile(resolve(WEB, 'dist', name)))
      response.setHeader('Content-Type', TYPES[extname(name)] ?? 'application/octet-stream')
      if (typeof body === 'function') body(response)
      else response.end(body)
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
      response.writeHead(404).end('not found')
    }
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const close = () =>
    new Promise((done) => {
      server.close(done)
      server.closeAllConnections()
    })
  return { address: `http://127.0.0.1:${server.address().port}${prefix}`, files, close }
}

/** A PNG of one colour, 24 x 34 pixels. */
function png(red, green, blue) {
  const [width, height] = [24, 34]
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from([red, green, blue]))])
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, check])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.concat(Array(height).fill(row)))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** A host of covers, `/<id>.png`, counting what is asked of it. */
export async function serveCovers() {
  const asked = []
  const server = createServer((request, response) => {
    asked.push(request.url)
    const id = parseInt(request.url.slice(1), 10)
    response.writeHead(200, { 'Content-Type': 'image/png', 'Access-Control-Allow-Origin': '*' })
    response.end(png((id * 67) % 256, (id * 151) % 256, (id * 29) % 256))
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const close = () =>
    new Promise((done) => {
      server.close(done)
      server.closeAllConnections()
    })
  return { address: `http://127.0.0.1:${server.address().port}/`, asked, close }
}

/** Numbers in [0, 1), the same at every run (a linear congruential generator). */
export function randomNumbers(seed) {
  let state = seed
  // Math.imul, since the product of floats is rounded: the numbers would soon repeat.
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
}

/**
 * A graph of `count` titles in planted groups, in the form of graph.json (as an object).
 * @param {number} count
 * @param {{ covers?: string | null }} options covers: the address of their host
 */
export function makeGraph(count, { covers = null } = {}) {
  const random = randomNumbers(count)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const groups = 12
  const centres = Array.from({ length: groups }, () => Array.from({ length: 50 }, normal))
  const places = Array.from({ length: groups }, () => [60 * random(), 60 * random()])
  const words =
    'Kaze Hana Sora Tsuki Yume Hikari Umi Kage Yuki Hoshi Neko Mahou Senshi Gakuen Monogatari Densetsu'.split(
      ' ',
    )
  const vectors = new Float32Array(count * 50)
  const anime = Array.from({ length: count }, (_, row) => {
    const cluster = Math.floor(random() ** 1.5 * groups)
    const vector = centres[cluster].map((value) => value + 0.8 * normal())
    const length = Math.hypot(...vector)
    vectors.set(
      vector.map((value) => value / length),
      row * 50,
    )
    const id = 3 * row + 1
    return {
      id,
      title: `${words[row % 16]} no ${words[(row >> 4) % 16]} ${row}`,
      english: row % 3 ? `Tale ${row} of the ${words[(row * 7) % 16]}` : null,
      mean: row % 17 ? Math.round(100 * (6 + 3 * random())) / 100 : null,
      popularity: row + 1,
      picture: covers && `${covers}${id}.png`,
      studios: [`Studio ${row % 40}`],
      genres: ['Drama', 'Fantasy'],
      year: row % 19 ? 1985 + (row % 40) : null,
      media_type: ['tv', 'movie', 'ova'][row % 3],
      x: places[cluster][0] + 6 * normal(),
      y: places[cluster][1] + 6 * normal(),
      cluster,
    }
  })
  // Nearest on the plane among the same group's next two hundred: what the page shows does not depend on exactness.
  const members = Array.from({ length: groups }, () => [])
  anime.forEach((entry, row) => members[entry.cluster].push(row))
  /** @type {Record<string, unknown[]>} */
  const neighbours = {}
  for (const rows of members) {
    rows.forEach((row, k) => {
      const near = Array.from(
        { length: Math.min(200, rows.length - 1) },
        (_, step) => rows[(k + 1 + step) % rows.length],
      ).map((other) => {
        let similarity = 0
        for (let d = 0; d < 50; d++) similarity += vectors[row * 50 + d] * vectors[other * 50 + d]
        return [anime[other].id, Math.round(similarity * 1e4) / 1e4]
      })
      neighbours[anime[row].id] = near.sort((a, b) => b[1] - a[1]).slice(0, 10)
    })
  }
  return {
    format: 'aniembed-graph/1',
    settings: {
      recommend: {
        mean: anime.map(({ mean }) => mean ?? 7),
        popularity: anime.map((_, row) => 2 / (1 + (10 * row) / count)),
        whitening: Array.from({ length: 50 }, (_, row) =>
          Array.from({ length: 50 }, (_, column) => Number(row === column) + 0.1 * normal()),
        ),
      },
    },
    clusters: members.map((rows, id) => ({ id, name: `Group ${id}`, size: rows.length })),
    anime,
    neighbours,
    vectors: Buffer.from(vectors.buffer).toString('base64'),
  }
}

/** Debian's Chromium, or the one that CHROMIUM names; without a line to any host but those of the tests. */
export const launch = (options = []) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-gpu',
      '--enable-unsafe-swiftshader',
      ...options,
    ],
  })
