import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MemoryToolHandlers } from '@anthropic-ai/sdk/helpers/beta/memory'
import { hello, json, message } from '../fixtures.ts'
import type { Difference, Scenario } from '../scenario.ts'

type Command = Parameters<MemoryToolHandlers[keyof MemoryToolHandlers]>[0]

const create = (path: string, file_text: string): Command => ({ command: 'create', path, file_text })
const view = (path: string, view_range?: number[]): Command => ({
  command: 'view',
  path,
  ...(view_range && { view_range }),
})
const insert = (path: string, insert_line: number, insert_text: string): Command => ({
  command: 'insert',
  path,
  insert_line,
  insert_text,
})
const replace = (path: string, old_str: string, new_str: string): Command => ({
  command: 'str_replace',
  path,
  old_str,
  new_str,
})
const remove = (path: string): Command => ({ command: 'delete', path })
const rename = (old_path: string, new_path: string): Command => ({ command: 'rename', old_path, new_path })

/** The memory tool: its definition, the way of a call, and the texts that the model reads. */
export const memory: Scenario[] = [
  {
    name: 'a call goes to the handler of its command',
    replies: [
      json(
        message({
          content: [{ type: 'tool_use', id: 'toolu_1', name: 'memory', input: { command: 'view', path: '/memories' } }],
          stop_reason: 'tool_use',
        }),
      ),
      json(message()),
    ],
    run: async ({ client, helpers }) => {
      const seen: unknown[] = []
      const handler = (command: Command): string => `did ${String(seen.push(command))}`
      const handlers = { view: handler, create: handler, str_replace: handler, insert: handler, delete: handler }
      const tool = helpers.betaMemoryTool({ ...handlers, rename: handler }, { cache_control: { type: 'ephemeral' } })
      await client.beta.messages.toolRunner({ ...hello, tools: [tool], thread: false })
      return seen
    },
  },
  files('create, view and list', [
    create('/memories/a.txt', 'one\ntwo\nthree'),
    create('/memories/sub/deep/b.txt', ''),
    create('/memories/.hidden', 'x'),
    create('/memories/big.txt', 'x'.repeat(1536)),
    view('/memories/a.txt'),
    view('/memories/a.txt', [2, 3]),
    view('/memories/a.txt', [2, -1]),
    view('/memories/a.txt', [0, 1]),
    view('/memories/a.txt', [9, 12]),
    view('/memories/sub'),
    view('/memories/sub/deep'),
    view('/memories/sub/deep/b.txt'),
  ]),
  files('what is not there', [
    view('/memories/none'),
    view('/memories/none/below'),
    insert('/memories/none', 0, 'x'),
    replace('/memories/none', 'a', 'b'),
    remove('/memories/none'),
    rename('/memories/none', '/memories/b'),
  ]),
  files('create() of a file that is there', [
    create('/memories/a', '1'),
    create('/memories/a', '2'),
    view('/memories/a'),
  ]),
  files('str_replace', [
    create('/memories/a', 'one\ntwo\nthree\nfour\nfive\nsix\nfour'),
    replace('/memories/a', 'five', '5 $& $1'),
    replace('/memories/a', 'four', '4'),
    replace('/memories/a', 'seven', '7'),
    replace('/memories/a', 'one', ''),
    replace('/memories', 'a', 'b'),
    view('/memories/a'),
  ]),
  files(
    'str_replace over two lines',
    [create('/memories/a', 'one\ntwo\nthree'), replace('/memories/a', 'one\ntwo', '1')],
    [
      {
        name: 'memory-lines',
        at: 'returned.1',
        official: /did not appear verbatim/,
        ours: /has been edited/,
      },
    ],
  ),
  files('insert', [
    create('/memories/a', 'one\ntwo'),
    insert('/memories/a', 0, 'zero\n'),
    insert('/memories/a', 3, 'last'),
    insert('/memories/a', 9, 'x'),
    insert('/memories/a', -1, 'x'),
    insert('/memories', 0, 'x'),
    view('/memories/a'),
  ]),
  files('delete and rename', [
    create('/memories/a', 'x'),
    create('/memories/sub/b', 'y'),
    rename('/memories/a', '/memories/c'),
    rename('/memories/c', '/memories/sub/b'),
    rename('/memories/sub', '/memories/new/sub'),
    remove('/memories/c'),
    remove('/memories/new'),
    remove('/memories'),
    rename('/memories', '/memories/x'),
    view('/memories/new'),
  ]),
  files('paths that lead out', [
    view('/memories/../secret'),
    create('/memories/../../x', 'x'),
    remove('/memories/..'),
    rename('/memories/a', '/memories/../b'),
    view('/etc/passwd'),
    view('memories'),
    create('/memories/out/x', 'x'),
    view('/memories/out/secret'),
    view('/memories/file'),
    insert('/memories/file', 0, 'x'),
    remove('/memories/file'),
  ]),
]

/** Commands, one after another, on a folder with two links that lead out of it. */
function files(name: string, commands: readonly Command[], differs: readonly Difference[] = []): Scenario {
  return {
    name: `files: ${name}`,
    differs,
    async run({ helpers }) {
      const folder = await mkdtemp(join(tmpdir(), 'colloquy-memory-'))
      try {
        const handlers: MemoryToolHandlers = await helpers.BetaLocalFilesystemMemoryTool.init(folder)
        await writeFile(join(folder, 'secret'), 'secret')
        if (name === 'paths that lead out') {
          await symlink(folder, join(folder, 'memories/out'))
          await symlink(join(folder, 'secret'), join(folder, 'memories/file'))
        }
        const told: unknown[] = []
        for (const command of commands) {
          const run = handlers[command.command].bind(handlers) as (command: Command) => Promise<string>
          told.push(await run(command).catch((error: unknown) => (error as Error).message))
        }
        return told
      } finally {
        await rm(folder, { recursive: true })
      }
    },
  }
}
