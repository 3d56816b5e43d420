/**
 * Makes the single file web/explorer.html: script, style and icon are inside, and similarity_map.py puts a
 * graph there.
 */
import { createHash } from 'node:crypto'
import { readFileSync, renameSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Plugin } from 'vite'
import { contentSecurityPolicy, MAL_PICTURES } from './policy.ts'

/** similarity_map.py puts the graph between the two tags; web/README.md says how. */
export const GRAPH_PLACEHOLDER = '<script type="application/json" id="graph"></script>'

const NAME = 'explorer.html'

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Return the script such that the parser of HTML does not find its end, or a comment, inside it. */
const escapeScript = (code: string) => code.replace(/<(?=\/script|script|!--)/gi, '\\x3C')

/** Replace what `pattern` matches, which must be exactly one thing. */
function replaceOne(html: string, pattern: RegExp, by: string): string {
  const { length } = html.match(new RegExp(pattern, 'g')) ?? []
  if (length !== 1) throw new Error(`The page has ${length ?? 0} matches of ${pattern}, not one.`)
  return html.replace(pattern, () => by)
}

export function explorerPage(root: string): Plugin {
  return {
    name: 'explorer-page',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const files = Object.values(bundle)
        const html = files.find(({ fileName }) => fileName === 'index.html')
        const chunks = files.filter((file) => file.type === 'chunk')
        const styles = files.filter(({ fileName }) => fileName.endsWith('.css'))
        if (
          html?.type !== 'asset' ||
          chunks.length !== 1 ||
          styles.length !== 1 ||
          styles[0].type !== 'asset'
        )
          throw new Error(
            `The build made other files than one page, script and style: ${Object.keys(bundle)}`,
          )
        const page = assemble(root, String(html.source), chunks[0].code, String(styles[0].source))
        for (const name of Object.keys(bundle)) delete bundle[name]
        this.emitFile({ type: 'asset', fileName: NAME, source: page })
      },
    },
    // Out of web/dist, which is not committed.
    writeBundle: ({ dir }) => renameSync(resolve(dir!, NAME), resolve(root, NAME)),
  }
}

function assemble(root: string, html: string, code: string, css: string): string {
  const script = escapeScript(code)
  const icon = readFileSync(resolve(root, 'public/icon.svg')).toString('base64')
  let page = contentSecurityPolicy(html, {
    'script-src': hash(script),
    'style-src': hash(css),
    'img-src': `data: blob: ${MAL_PICTURES}`,
    'worker-src': 'blob:',
  })
  page = replaceOne(
    page,
    /<link rel="icon"[^>]*>/,
    `<link rel="icon" href="data:image/svg+xml;base64,${icon}">`,
  )
  page = replaceOne(page, /<link rel="stylesheet"[^>]*>/, `<style>${css}</style>`)
  page = replaceOne(page, /\s*<script type="module"[^>]*><\/script>/, '')
  page = replaceOne(
    page,
    /<\/body>/,
    `${GRAPH_PLACEHOLDER}\n<script type="module">${script}</script>\n</body>`,
  )
  // similarity_map.py replaces these two, so each must be there once.
  for (const part of [GRAPH_PLACEHOLDER, MAL_PICTURES])
    if (page.split(part).length !== 2) throw new Error(`The page does not have exactly one ${part}`)
  return page
}
