import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const here = import.meta.dirname

/** The graph to show: environment GRAPH, else what embeddings.py wrote last, else the sample. */
function graphPath(): string {
  const { GRAPH } = process.env
  if (GRAPH) {
    if (!existsSync(GRAPH)) {
      console.error(`GRAPH names ${GRAPH}, and there is no such file.`)
      process.exit(2)
    }
    return resolve(GRAPH)
  }
  return [resolve(here, '../output/graph.json'), resolve(here, 'sample/graph.json')].find((path) =>
    existsSync(path),
  )!
}

function graphFile(): Plugin {
  let path: string
  return {
    name: 'graph-file',
    // Before anything is written, so that a wrong GRAPH leaves the last build as it was.
    configResolved() {
      path = graphPath()
    },
    configureServer(server) {
      server.config.logger.info(`  showing ${path}`)
      // Read at every request: a reload shows what embeddings.py has written meanwhile.
      server.middlewares.use('/graph.json', (_request, response) => {
        response.setHeader('Content-Type', 'application/json')
        response.end(readFileSync(path))
      })
    },
    generateBundle() {
      this.info(`showing ${path}`)
      this.emitFile({ type: 'asset', fileName: 'graph.json', source: readFileSync(path) })
    },
  }
}

/** The built page runs its own scripts, talks to its own host, and shows pictures; App narrows those to one host. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https: http:; " +
  "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'"

function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    // The development server injects scripts of its own, so only the built page has the policy.
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
        injectTo: 'head-prepend',
      },
    ],
  }
}

function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const files = [
        './',
        './icon.svg',
        ...Object.keys(bundle)
          .filter((name) => name !== 'index.html')
          .map((name) => `./${name}`),
      ]
      const version = createHash('sha256').update(files.join()).digest('hex').slice(0, 12)
      const source = readFileSync(resolve(here, 'src/service-worker.js'), 'utf8')
        .replace('__FILES__', JSON.stringify(files))
        .replace('__VERSION__', version)
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source })
    },
  }
}

export default defineConfig({
  root: here,
  base: './',
  // Milliseconds; a browser takes its time to start on a busy machine.
  test: { testTimeout: 60_000, hookTimeout: 60_000 },
  plugins: [react(), graphFile(), contentSecurityPolicy(), serviceWorker()],
})
