/**
 * Builds two pages: web/dist, for a web server, and with `--mode explorer` the single file
 * web/explorer.html.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { explorerPage } from './build/explorer-page.ts'
import { contentSecurityPolicy, picturesOrigin } from './build/policy.ts'

const here = import.meta.dirname

/**
 * Return the graph to show: GRAPH of the environment, else what embeddings.py wrote last, else the sample.
 */
function findGraph(): string {
  const { GRAPH } = process.env
  if (GRAPH) {
    if (!existsSync(GRAPH)) {
      console.error(`GRAPH: there is no file ${GRAPH}.`)
      process.exit(2)
    }
    return resolve(GRAPH)
  }
  const output = resolve(here, '../output/graph.json')
  return existsSync(output) ? output : resolve(here, 'sample/graph.json')
}

function graphFile(path: string): Plugin {
  return {
    name: 'graph-file',
    configureServer(server) {
      server.config.logger.info(`  showing ${path}`)
      // Read at every request: a reload shows what embeddings.py has written since.
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

/**
 * The built page runs its own scripts, and talks to its own host and to the one that the covers come from.
 */
function policy(graph: string): Plugin {
  return {
    name: 'policy',
    // The development server adds scripts of its own, so only the built page has the policy.
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (html) =>
        contentSecurityPolicy(html, {
          'script-src': "'self'",
          'style-src': "'self'",
          'img-src': `'self' data: blob: ${picturesOrigin(readFileSync(graph, 'utf8'))}`,
          'connect-src': "'self'",
          'worker-src': "'self' blob:",
        }),
    },
  }
}

function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const names = Object.keys(bundle).filter((name) => name !== 'index.html')
      const files = ['./', './icon.svg', ...names.map((name) => `./${name}`)]
      const version = createHash('sha256').update(files.join()).digest('hex').slice(0, 12)
      const source = readFileSync(resolve(here, 'src/service-worker.js'), 'utf8')
        .replace('__FILES__', JSON.stringify(files))
        .replace('__VERSION__', version)
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source })
    },
  }
}

/** Return tests of one name. `from`: which page a browser opens, the served one or the single file. */
const project = (name: string, files: string, from = '') => ({
  root: here,
  test: {
    name,
    include: [`test/${files}.test.ts`],
    env: { FROM: from },
    // In ms; a browser takes its time to start on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
})
const BROWSER_PROJECTS = [
  project('served', 'browser/*', 'server'),
  project('file', 'browser/{walking,scores,view,labels}', 'file'),
]

export default defineConfig(({ mode }) => {
  // Found before anything is written: a wrong GRAPH leaves the last build as it is.
  const graph = findGraph()
  const common = {
    root: here,
    base: './',
    // The table of filters lies outside web/.
    server: { fs: { allow: ['..'] } },
    test: { projects: [project('unit', 'unit/*'), ...BROWSER_PROJECTS] },
  }
  if (mode !== 'explorer')
    return { ...common, plugins: [react(), graphFile(graph), policy(graph), serviceWorker()] }
  return {
    ...common,
    plugins: [react(), explorerPage(here)],
    publicDir: false,
    build: {
      emptyOutDir: false,
      modulePreload: false,
      cssCodeSplit: false,
      rolldownOptions: { output: { codeSplitting: false } },
    },
  }
})
