/** Ends with status 1 unless web/explorer.html is what the build makes of the sources. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { build } from 'vite'

const MAX_KILOBYTES = 600

const root = resolve(import.meta.dirname, '..')
const { output } = await build({ root, mode: 'explorer', logLevel: 'warn', build: { write: false } })
const built = Buffer.from(output[0].source)
const committed = await readFile(resolve(root, 'explorer.html')).catch(() => Buffer.alloc(0))
if (!committed.equals(built)) {
  console.error('web/explorer.html is not what the build makes. Run npm run build, and commit the file.')
  process.exit(1)
}
if (built.length > MAX_KILOBYTES * 1000) {
  console.error(`web/explorer.html has ${built.length} bytes, more than ${MAX_KILOBYTES} KB.`)
  process.exit(1)
}
console.log(`web/explorer.html is up to date, ${Math.round(built.length / 1000)} KB.`)
