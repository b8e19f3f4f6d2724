import assert from 'node:assert/strict'
import { test } from 'node:test'
import { doors, importsOf, sources } from './source.ts'

const layers = ['protocol', 'tools', 'client', 'engines', 'conversation', 'server', 'cli']

test('a layer imports itself and what stands left of it', () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => target && layers.indexOf(layerOf(target)) > layers.indexOf(layerOf(file)))
      .map(({ name }) => `${file} imports ${name}`),
  )
  assert.deepEqual(wrong, [])
})

test('the library needs nothing but itself and, where it says so, Node', () => {
  const wrong = sources
    .filter((file) => file.startsWith('packages/colloquy/'))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ name }) => !/^(\.|node:)/.test(name))
        .map(({ name }) => `${file} imports ${name}`),
    )
  assert.deepEqual(wrong, [])
})

test('opening one door of the library loads no other, but the words of the wire', () => {
  const wrong = [...doors]
    .filter(([door]) => door.startsWith('colloquy'))
    .map(([door, file]) => ({
      door,
      loads: doorsAmong(loadedBy(file)).filter((name) => name !== door && name !== 'colloquy/protocol'),
    }))
    .filter(({ loads }) => loads.length > 0)
  assert.deepEqual(wrong, [])
})

function layerOf(file: string): string {
  const [, name, , folder] = file.split('/')
  if (name !== 'colloquy') return name!
  return folder === 'index.ts' ? 'client' : folder!
}

function doorsAmong(files: Set<string>): string[] {
  return [...doors].filter(([, file]) => files.has(file)).map(([door]) => door)
}

function loadedBy(file: string, files: Set<string> = new Set()): Set<string> {
  if (!sources.includes(file) || files.has(file)) return files
  files.add(file)
  for (const { target, isTypeOnly } of importsOf(file)) if (target && !isTypeOnly) loadedBy(target, files)
  return files
}
