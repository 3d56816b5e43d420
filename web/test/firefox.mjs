/** Debian's Firefox, driven by its Marionette protocol: `length:[type, id, ...]` as JSON over a socket. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr'

/** In ms, until Firefox has started. */
const PATIENCE = 60_000

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds))

/** Return the port that Firefox has written into its profile. */
async function portOf(profile) {
  const path = join(profile, 'MarionetteActivePort')
  for (let waited = 0; waited < PATIENCE; waited += 200) {
    if (existsSync(path)) return Number(readFileSync(path, 'utf8'))
    await pause(200)
  }
  throw new Error(`${FIREFOX} has not started within ${PATIENCE / 1000} s.`)
}

/** Return a function that sends one command and resolves to its result. */
function makeClient(socket) {
  let buffer = Buffer.alloc(0)
  let id = 0
  const waiting = new Map()
  socket.on('data', (data) => {
    buffer = Buffer.concat([buffer, data])
    for (;;) {
      const colon = buffer.indexOf(':')
      const end = colon + 1 + Number(buffer.subarray(0, colon))
      if (colon < 0 || buffer.length < end) return
      const message = JSON.parse(buffer.subarray(colon + 1, end).toString())
      buffer = buffer.subarray(end)
      if (!Array.isArray(message)) continue
      const [, answered, error, result] = message
      const { done, fail } = waiting.get(answered)
      if (error) fail(new Error(`${error.error}: ${error.message}`))
      else done(result)
    }
  })
  return (name, parameters = {}) =>
    new Promise((done, fail) => {
      waiting.set(++id, { done, fail })
      const text = JSON.stringify([0, id, name, parameters])
      socket.write(`${Buffer.byteLength(text)}:${text}`)
    })
}

/** Start Firefox. Returns functions to open an address, to run an async function in its page, and to quit. */
export async function launchFirefox() {
  const profile = mkdtempSync(join(tmpdir(), 'aniembed-firefox-'))
  writeFileSync(join(profile, 'user.js'), 'user_pref("marionette.port", 0);\n')
  // Without a display (Xvfb is one), Debian's Firefox has no WebGL.
  const headless = process.env.DISPLAY ? [] : ['--headless']
  const browser = spawn(FIREFOX, [...headless, '--marionette', '--no-remote', '--profile', profile], {
    stdio: 'ignore',
    env: { ...process.env, HOME: profile },
  })
  const ended = new Promise((done) => browser.once('exit', done))
  const socket = connect(await portOf(profile), '127.0.0.1')
  const send = makeClient(socket)
  await send('WebDriver:NewSession', {})
  await send('WebDriver:SetTimeouts', { script: PATIENCE })
  return {
    open: (url) => send('WebDriver:Navigate', { url }),
    async run(work, ...args) {
      const script = `const done = arguments[arguments.length - 1]
        ;(${work})(...arguments).then((value) => done({ value }), (error) => done({ error: String(error) }))`
      const { value } = await send('WebDriver:ExecuteAsyncScript', { script, args, sandbox: null })
      if ('error' in value) throw new Error(value.error)
      return value.value
    },
    /** Return the screen as a PNG. */
    async screenshot() {
      const { value } = await send('WebDriver:TakeScreenshot', { full: false })
      return Buffer.from(value, 'base64')
    },
    async quit() {
      await send('Marionette:Quit', { flags: ['eForceQuit'] })
      await ended
      socket.destroy()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}
