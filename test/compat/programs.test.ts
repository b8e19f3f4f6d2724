import assert from 'node:assert/strict'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { runInTurn } from '../program.ts'
import { root } from '../source.ts'
import { compilerOutput } from './compiler.ts'

const names = globSync('test/compat/programs/*.ts', { cwd: root })
  .map((file) => basename(file))
  .toSorted()

// The programs are compiled and run for both clients, with only the import changed.
const copies = mkdtempSync(join(tmpdir(), 'colloquy-programs-'))
after(() => rmSync(copies, { recursive: true }))
symlinkSync(join(root, 'node_modules'), join(copies, 'node_modules'))
for (const name of names) {
  const source = readFileSync(join(root, 'test/compat/programs', name), 'utf8')
  const withToolsets = source.replaceAll(/'@anthropic-ai\/sdk\/helpers\/beta\/toolsets/g, "'colloquy/tools/toolsets")
  const withHelpers = withToolsets.replaceAll(/'@anthropic-ai\/sdk\/helpers[^']*'/g, "'colloquy/tools'")
  writeFileSync(join(copies, name), withHelpers.replaceAll(/'@anthropic-ai\/sdk[^']*'/g, "'colloquy'"))
}
cpSync(join(root, 'package.json'), join(copies, 'package.json'))

test('there are at least twenty programs', () => {
  assert.ok(names.length >= 20)
})

// Holds the claims under "In the types" of docs/compatibility.md: the compiler reports when one is no longer true.
const differences = `
import type Anthropic from 'colloquy'
import type { Unlisted } from 'colloquy/protocol'

export function render(block: Anthropic.TextBlock | Unlisted): string {
  switch (block.type) {
    case 'text':
      return block.text
    default:
      // @ts-expect-error
      return block satisfies never
  }
}

export function isInTheUnion(block: Unlisted): Anthropic.ContentBlock {
  return block
}

export function isOneType(message: Anthropic.Beta.Messages.BetaMessage): Anthropic.Message {
  return message
}
`

test('programs written against the official types compile with ours', async () => {
  writeFileSync(
    join(copies, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['*.ts'] }),
  )
  writeFileSync(join(copies, 'differences.ts'), differences)
  assert.equal(await compilerOutput(copies), '')
})

test('programs print the same with both clients', async (t) => {
  const official = names.map((name) => join(root, 'test/compat/programs', name))
  const ours = names.map((name) => join(copies, name))
  const [expected, outcomes] = await Promise.all([runInTurn(official), runInTurn(ours)])
  for (const [at, name] of names.entries())
    await t.test(name, () => {
      assert.deepEqual(outcomes.get(ours[at]!), expected.get(official[at]!))
      assert.notEqual(expected.get(official[at]!)?.stdout, '')
      assert.equal(expected.get(official[at]!)?.code, 0)
    })
})
