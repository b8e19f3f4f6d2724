import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { builtPages } from '../harness.ts'

let pages: string
before(async () => void (pages = await builtPages()))

test('the first load of the console has at most 60 KB of JavaScript and 8 KB of CSS, compressed', () => {
  const html = readFileSync(join(pages, 'index.html'), 'utf8')
  const first = [...html.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)].map(([, file]) => file!)
  const files = [...new Set(first.flatMap((file) => [file, ...importsOf(file)]))]
  const size = (extension: string): number =>
    files.filter((file) => file.endsWith(extension)).reduce((sum, file) => sum + compressed(file), 0)
  assert.ok(files.length > 2, 'the page loads its scripts and styles')
  assert.ok(size('.js') <= 60_000, `JavaScript: ${size('.js')} bytes`)
  assert.ok(size('.css') <= 8_000, `CSS: ${size('.css')} bytes`)
})

test('the page names no other host', () => {
  const files = ['index.html', ...readdirSync(join(pages, 'assets')).map((file) => `assets/${file}`)]
  const hosts = files.flatMap((file) => [...read(file).matchAll(/\bhttps?:\/\/[\w.-]+\.\w+/g)].map(([host]) => host))
  // Names of XML, addresses in the messages and comments of libraries, which are not loaded.
  const allowed = /^https?:\/\/(?:www\.w3\.org|marked\.js\.org|github\.com|.*preactjs\.com|example\.com)/
  assert.deepEqual(
    hosts.filter((host) => !allowed.test(host)),
    [],
  )
})

/** The files that a script imports before it runs, and those that they import. */
function importsOf(file: string): string[] {
  const found = [...read(file).matchAll(/(?:^|[;}\n])import(?:[^"'`;()]*?from)?\s*["']\.\/([^"']+)["']/g)]
  return found.flatMap(([, name]) => [`assets/${name!}`, ...importsOf(`assets/${name!}`)])
}

function compressed(file: string): number {
  return gzipSync(readFileSync(join(pages, file)), { level: 9 }).length
}

function read(file: string): string {
  return readFileSync(join(pages, file), 'utf8')
}
