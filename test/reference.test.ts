// The pages of docs/ that a program writes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedVariables, variables } from '../scripts/pages/variables.ts'
import { pages } from '../scripts/pages/write.ts'
import { entryPoints, read, sources } from './source.ts'

for (const [name, text] of Object.entries(pages))
  test(`docs/${name} is what npm run docs:pages writes`, async () => {
    assert.equal(read(`docs/${name}`), await text(), 'npm run docs:pages')
  })

test('docs/configuration.md has every variable that the sources read', () => {
  const names = sources.flatMap((file) =>
    [...read(file).matchAll(/'((?:COLLOQUY|ANTHROPIC)_[A-Z_]+)'/g)].map(([, name]) => name!),
  )
  assert.deepEqual([...new Set(names)].toSorted(), variables.map(([name]) => name).toSorted())
})

test('docs/configuration.md has the variables of other programs that the sources read', () => {
  const names = sources.flatMap((file) =>
    [...read(file).matchAll(/\benv(?:\.|\[')([A-Z][A-Z_]+)|variable: '([A-Z_]+)'/g)].map(
      ([, one, other]) => (one ?? other)!,
    ),
  )
  const known = new Set([...variables, ...sharedVariables].map(([name]) => name))
  assert.deepEqual([...new Set(names)].filter((name) => !known.has(name) && !ofTheSystem.has(name)).toSorted(), [])
})

test('docs/packages.md has every entry point', () => {
  const text = read('docs/packages.md')
  // Other names of entry points, for programs written for the official client.
  const isOfficial = (name: string): boolean =>
    /^colloquy\/(?:error|streaming|pagination|uploads|resource|api-promise|client|index|core|lib|helpers|tools\/memory\/node)/.test(
      name,
    )
  assert.deepEqual(
    [...entryPoints.keys()].filter((name) => !isOfficial(name) && !text.includes(`\`${name}\``)),
    [],
  )
})

/** Variables by which the program tells what the terminal or the system can do. */
const ofTheSystem = new Set(
  (
    'PATH HOME DATABASE_URL TERM TERM_PROGRAM COLORTERM WT_SESSION KITTY_WINDOW_ID KONSOLE_VERSION VTE_VERSION FORCE_HYPERLINK DISPLAY ' +
    'WAYLAND_DISPLAY WSL_DISTRO_NAME APPDATA NODE_OPTIONS NODE_ENV'
  ).split(' '),
)
