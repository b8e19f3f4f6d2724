import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { read } from '../source.ts'
import { everywhere } from './compare.ts'
import { tables } from './scenarios/index.ts'
import { surfaces, types } from './surface.ts'

const document = read('docs/compatibility.md')

test('each difference that a scenario names is explained, and none that no scenario has', () => {
  const differences = document.slice(document.indexOf('## Differences'), document.indexOf('### In the types'))
  const explained = rowsOf(differences).flatMap(({ names }) => names)
  const named = Object.values(tables).flatMap((scenarios) => scenarios.flatMap(({ differs = [] }) => differs))
  const expected = new Set([...named.map(({ name }) => name), ...Object.keys(everywhere)])
  assert.deepEqual(explained.toSorted(), [...expected].toSorted())
})

test('each difference that the surface speaks of is explained', () => {
  const [differences = '', surface = ''] = document.split('## The surface')
  const explained = rowsOf(differences).flatMap(({ names }) => names)
  const mentioned = [...surface.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, name]) => name!)
  assert.deepEqual(
    mentioned.filter((name) => !explained.includes(name)),
    [],
  )
})

describe('the page says of every name of the official client whether it is here', async () => {
  for (const [section, { official, isOurs }] of Object.entries(await surfaces())) {
    test(section, () => {
      const rows = rowsOf(sectionOf(section))
      for (const name of official) {
        const verdict = rowFor(rows, name)?.verdict
        assert.match(verdict ?? 'no row', /^(same|different|not offered)$/, name)
        assert.equal(verdict !== 'not offered', isOurs(name), `${name} is said to be ${verdict}`)
      }
      assert.deepEqual(idle(rows, official), [])
    })
  }
})

test('every official type has its name here or a row that says what to use', async () => {
  const { official, isOurs } = await types()
  const rows = rowsOf(sectionOf('Types'))
  const missing = official.filter((name) => !isOurs(name))
  assert.deepEqual(
    missing.filter((name) => !rowFor(rows, name)),
    [],
  )
  assert.deepEqual(idle(rows, missing), [])
})

interface Row {
  /** Of the first cell; a star stands for any letters. */
  names: string[]
  verdict: string
}

/** The rows of the tables in a piece of the page, but for the heads of the tables. */
function rowsOf(text: string): Row[] {
  const lines = text.split('\n').filter((line) => line.startsWith('| `'))
  return lines.map((line) => {
    const [, first = '', verdict = ''] = line.split('|').map((cell) => cell.trim())
    return { names: [...first.matchAll(/`([^`]+)`/g)].map(([, name]) => name!), verdict }
  })
}

function sectionOf(title: string): string {
  const [, section] = document.split(`\n### ${title}\n`)
  assert.ok(section, `no section is called ${title}`)
  return section.split('\n### ')[0]!
}

/** The row that has the name itself, or else the first whose pattern fits. */
function rowFor(rows: Row[], name: string): Row | undefined {
  return (
    rows.find(({ names }) => names.includes(name)) ??
    rows.find(({ names }) => names.some((pattern) => isMatch(pattern, name)))
  )
}

/** Names and patterns of rows that stand for nothing. */
function idle(rows: Row[], official: string[]): string[] {
  return rows.flatMap(({ names }) => names).filter((pattern) => !official.some((name) => isMatch(pattern, name)))
}

function isMatch(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name)
}
