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
    /^colloquy\/(?:error|streaming|pagination|uploads|resource|api-promise|client|version|index|core|lib|helpers|tools\/memory\/node)/.test(
      name,
    )
  assert.deepEqual(
    [...entryPoints.keys()].filter((name) => !isOfficial(name) && !text.includes(`\`${name}\``)),
    [],
  )
})

test('the pages have every option, with its default', () => {
  const missing = options.flatMap(([name, ...pages]) => {
    const text = pages.map((page) => read(`docs/${page}`)).join('\n')
    return membersOf(name).flatMap(([member, about]) => {
      // A call gets the signal of its turn.
      if (name === 'CallOptions' && member === 'signal') return []
      const code = new RegExp(`\`[^\`\\n]*\\b${member}\\b[^\`\\n]*\``)
      if (!code.test(text)) return [`${name}.${member} is not in ${pages.join(', ')}`]
      const [, value] = /Default:? ([\d,]*\d)\b(?! minutes)/.exec(about) ?? []
      const rows = text.split('\n').filter((line) => line.startsWith('|') && code.test(line.split('|')[1]!))
      if (value === undefined || value === '0' || rows.length === 0) return []
      return rows.some((row) => row.includes(value)) ? [] : [`${name}.${member} has the default ${value}`]
    })
  })
  assert.deepEqual(missing, [])
})

/** The members of an exported interface, each with its doc comment. */
function membersOf(name: string): [member: string, about: string][] {
  const pattern = new RegExp(`export interface ${name}\\b[^{]*\\{\\n([^]*?)\\n\\}`)
  const [body] = sources.flatMap((file) => pattern.exec(read(file))?.[1] ?? [])
  assert.ok(body, `the sources have no interface ${name}`)
  const found = body.matchAll(/^(?: {2}\/\*\*([^]*?)\*\/\n)? {2}(?:readonly )?(\w+)\??[:(]/gm)
  return [...found].map(([, about = '', member]) => [member!, about.replaceAll(/\s*\n\s*\*\s*/g, ' ')])
}

/** The interfaces whose members a user passes, and the pages with their tables. */
const options = [
  ['ConversationsOptions', 'conversation.md'],
  ['CallOptions', 'conversation.md'],
  ['TurnToolOptions', 'conversation.md'],
  ['Budget', 'budget.md'],
  ['Limits', 'budget.md'],
  ['TimeoutAndRetryOptions', 'client.md'],
  ['ClientOptions', 'client.md', 'helpers.md'],
  ['ServerOptions', 'server.md'],
  ['ListenOptions', 'server.md'],
  ['AccessOptions', 'keys.md'],
  ['ConversationRoutesOptions', 'conversations-api.md'],
  ['ReadTurnOptions', 'page-of-your-own.md'],
  ['OfflineOptions', 'engines.md'],
  ['RecordOptions', 'engines.md'],
  ['CassetteOptions', 'engines.md'],
  ['ChatCompletionsOptions', 'engines.md'],
  ['LlamaOptions', 'engines.md'],
  ['RouteOptions', 'engines.md'],
  ['ToolsetOptions', 'helpers.md'],
] as const

/** Variables by which the program tells what the terminal or the system can do. */
const ofTheSystem = new Set(
  (
    'PATH HOME DATABASE_URL TERM TERM_PROGRAM COLORTERM WT_SESSION KITTY_WINDOW_ID KONSOLE_VERSION VTE_VERSION FORCE_HYPERLINK DISPLAY ' +
    'WAYLAND_DISPLAY WSL_DISTRO_NAME APPDATA NODE_OPTIONS NODE_ENV'
  ).split(' '),
)
