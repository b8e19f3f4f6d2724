import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { openBrowser } from './browser.ts'

test('the token of the console is in a file of its own, not in the arguments of the browser', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-browser-'))
  try {
    mkdirSync(join(folder, 'colloquy'))
    const [browser, said] = [join(folder, 'browser'), join(folder, 'arguments')]
    writeFileSync(browser, `#!/bin/sh\necho "$@" > "${said}.part" && mv "${said}.part" "${said}"\n`, { mode: 0o700 })
    const env = { BROWSER: browser, XDG_DATA_HOME: folder, PATH: process.env['PATH'] }
    assert.equal(await openBrowser('http://127.0.0.1:4141/#k=secret', env), true)
    for (let tries = 0; tries < 10_000 && !existsSync(said); tries++) await setTimeout(10)
    const page = readFileSync(said, 'utf8').trim()
    assert.doesNotMatch(page, /secret/)
    assert.match(readFileSync(page, 'utf8'), /url=http:\/\/127\.0\.0\.1:4141\/#k=secret"/)
    assert.equal(statSync(page).mode & 0o777, 0o600)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
