import assert from 'node:assert/strict'
import test from 'node:test'
import type { ConversationMessage } from 'colloquy/conversation'
import { textOf } from '../../content/transcript.ts'
import { treeRows } from './branch-tree.ts'

/** Messages from `id<parent`, each with its id as its text. */
function messagesFrom(...links: string[]): ConversationMessage[] {
  return links.map((link) => {
    const [id = '', parentId] = link.split('<')
    return { id, parentId, role: 'user', content: id, state: 'committed', createdAt: new Date(0) }
  })
}

function picture(messages: ConversationMessage[], active: string[]): string[] {
  return treeRows(messages, new Set(active)).map((row) => `${row.picture} ${textOf(row.message)}`)
}

test('treeRows() indents only below forks and marks the active branch', () => {
  const messages = messagesFrom('a', 'b<a', 'c<a', 'd<b', 'e<b', 'f<c', 'g<e')
  assert.deepEqual(picture(messages, ['a', 'c', 'f']), [
    '● a',
    '├─○ b',
    '│ ├─○ d',
    '│ └─○ e',
    '│   ○ g',
    '└─● c',
    '  ● f',
  ])
})

test('treeRows() draws versions of the first message, and a chain of any length', () => {
  assert.deepEqual(picture(messagesFrom('a', 'b', 'c<a'), ['b']), ['├─○ a', '│ ○ c', '└─● b'])
  const chain = Array.from({ length: 20_000 }, (_, index) => (index === 0 ? '0' : `${index}<${index - 1}`))
  assert.equal(picture(messagesFrom(...chain), []).at(-1), '○ 19999')
})

test('treeRows() shows the last columns of a picture that is too wide', () => {
  const links = ['0']
  for (let depth = 1; depth < 40; depth++) links.push(`${depth}<${depth - 1}`, `x${depth}<${depth - 1}`)
  const rows = picture(messagesFrom(...links), [])
  assert.ok(rows.every((row) => row.length < 35))
  assert.match(
    rows.find((row) => row.endsWith(' 39'))!,
    /^…(?:│ )+├─○ 39$/,
  )
})
