/** The Python that the page is compared with: that of the main README, or the one that PYTHON names. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { WEB } from './harness.mjs'

export const ROOT = resolve(WEB, '..')
const IN_CHECKOUT = resolve(ROOT, '.venv/bin/python')
export const PYTHON = process.env.PYTHON ?? (existsSync(IN_CHECKOUT) ? IN_CHECKOUT : 'python3')
