import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { read } from '../source.ts'
import { everywhere } from './compare.ts'
import { tables } from './scenarios/index.ts'
import { surfaces } from './surface.ts'

const document = read('docs/compatibility.md')

test('the page explains exactly the differences that the scenarios name', () => {
  const differences = document.slice(document.indexOf('## Differences'), document.indexOf('### In the types'))
  const explained = rowsOf(differences).flatMap(({ names }) => names)
  const named = Object.values(tables).flatMap((scenarios) => scenarios.flatMap(({ differs = [] }) => differs))
  const expected = new Set([...named.map(({ name }) => name), ...Object.keys(everywhere)])
  assert.deepEqual(explained.toSorted(), [...expected].toSorted())
})

test('the page explains each difference that its tables mention', () => {
  const [differences = '', surface = ''] = document.split('## The surface')
  const explained = rowsOf(differences).flatMap(({ names }) => names)
  const mentioned = [...surface.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, name]) => name!)
  assert.deepEqual(
    mentioned.filter((name) => !explained.includes(name)),
    [],
  )
})

describe('the page lists every name of the official client with the right verdict', async () => {
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

interface Row {
  /** The names in the first cell; a star stands for any letters. */
  names: string[]
  verdict: string
}

/** The rows of the tables in a part of the page, without the table headers. */
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

/** Returns the row with this name, or the first row whose pattern matches. */
function rowFor(rows: Row[], name: string): Row | undefined {
  return (
    rows.find(({ names }) => names.includes(name)) ??
    rows.find(({ names }) => names.some((pattern) => isMatch(pattern, name)))
  )
}

/** Returns the names and patterns of rows that match no official name. */
function idle(rows: Row[], official: string[]): string[] {
  return rows.flatMap(({ names }) => names).filter((pattern) => !official.some((name) => isMatch(pattern, name)))
}

function isMatch(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name)
}
