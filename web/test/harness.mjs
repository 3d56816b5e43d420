/** What the browser tests and the figures share: a static host, a generated graph, a browser. */

import { readFileSync } from 'node:fs'
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
 * A static host for web/dist under `/shelf/anime/` of a free port. `files` replaces or adds files by name: a
 * text, a Buffer, null for 404, or a function that answers itself. It has no fallback to index.html, like
 * the simplest hosts.
 * @param {Record<string, string | Buffer | null | ((response: import('node:http').ServerResponse) => void)>} files
 * @param {{ covers?: string, headers?: Record<string, string> }} options covers: the host that the page's policy names for
 *     covers, instead of the one that it was built for; headers: of every answer
 */
export async function serve(files = {}, { covers, headers = {} } = {}) {
  const prefix = '/shelf/anime/'
  const read = async (name) => {
    const body = files[name] ?? (await readFile(resolve(WEB, 'dist', name)))
    return name === 'index.html' && covers ? withCoversOf(String(body), covers) : body
  }
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://host').pathname)
    const name = path.startsWith(prefix) ? path.slice(prefix.length) || 'index.html' : null
    try {
      if (name === null || files[name] === null) throw Object.assign(new Error('missing'), { code: 'ENOENT' })
      const body = await read(name)
      response.setHeaders(new Map(Object.entries(headers)))
      response.setHeader('Content-Type', TYPES[extname(name)] ?? 'application/octet-stream')
      if (typeof body === 'function') body(response)
      else response.end(body)
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
      response.writeHead(404).end('not found')
    }
  })
  const { port, close } = await listen(server)
  return { address: `http://127.0.0.1:${port}${prefix}`, files, close }
}

/**
 * Return web/explorer.html with a graph inside, as similarity_map.py writes it (web/README.md).
 * @param {object | null} graph
 */
export function fillExplorer(graph) {
  const [start, end] = ['<script type="application/json" id="graph">', '</script>']
  const parts = readFileSync(resolve(WEB, 'explorer.html'), 'utf8').split(start + end)
  if (parts.length !== 2)
    throw new Error('web/explorer.html does not have exactly one placeholder for the graph.')
  const json = graph ? JSON.stringify(graph).replaceAll('<', '\\u003c') : ''
  return parts.join(start + json + end)
}

/** Return a built page whose policy names another host for covers. */
export const withCoversOf = (page, address) =>
  page.replace('https://cdn.myanimelist.net', new URL(address).origin)

async function listen(server) {
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const close = () =>
    new Promise((done) => {
      server.close(done)
      server.closeAllConnections()
    })
  return { port: server.address().port, close }
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

/**
 * A host of covers, `/<id>.png`, counting what is asked of it.
 * @param {{ cors?: boolean }} options cors: whether it allows other pages to read its pictures
 */
export async function serveCovers({ cors = true } = {}) {
  const asked = []
  const server = createServer((request, response) => {
    asked.push(request.url)
    const id = parseInt(request.url.slice(1), 10)
    if (cors) response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Content-Type', 'image/png')
    response.end(png((id * 67) % 256, (id * 151) % 256, (id * 29) % 256))
  })
  const { port, close } = await listen(server)
  return { address: `http://127.0.0.1:${port}/`, asked, close }
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
