import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { MemoryFolder, memoryTool } from './index.ts'

/** A memory folder, and beside it a file that no command may reach. */
async function folderOf(t: TestContext): Promise<{ path: string; memory: MemoryFolder; outside: string }> {
  const path = await mkdtemp(join(tmpdir(), 'colloquy-memory-'))
  t.after(() => rm(path, { recursive: true }))
  const outside = join(path, 'secret.txt')
  await writeFile(outside, 'secret')
  return { path, memory: await MemoryFolder.init(path), outside }
}

const escapes = [
  '/memories/../secret.txt',
  '/memories/a/../../secret.txt',
  '/memories/..',
  '/memories/./..',
  '/memories/.',
  '/memories/%2e%2e/secret.txt',
  '/memories/%2E%2E%2Fsecret.txt',
  '/memories/%252e%252e%252fsecret.txt',
  '/memories/..%5csecret.txt',
  '/memories/..\\secret.txt',
  '/memories/\u2025/secret.txt',
  '/memories/\uff0e\uff0e/secret.txt',
  '/memories/..\uff0fsecret.txt',
  '/memories/a\uff3cb',
]
const notBelow = [
  '',
  '/',
  'secret.txt',
  '/secret.txt',
  '/memoriesx/a',
  '/memories2',
  '../secret.txt',
  'memories/a',
  '/Memories/a',
]
const oddNames = [
  '/memories//a',
  '/memories/a\0b',
  '/memories/a\nb',
  '/memories/a:b',
  '/memories/C:',
  '/memories/nul',
  '/memories/com1.txt',
  '/memories/a.',
  '/memories/a ',
  `/memories/${'x'.repeat(256)}`,
  '/memories/\ud800',
]

for (const [kind, paths, message] of [
  ['leads out of the folder', escapes, /would escape/],
  ['does not begin with /memories', notBelow, /must start with \/memories/],
  ['has a name that no file can have', oddNames, /cannot be used for a file/],
] as const) {
  test(`MemoryFolder refuses every command when a path ${kind}`, async (t) => {
    const { path, memory, outside } = await folderOf(t)
    for (const wrong of paths) {
      const commands = [
        () => memory.view({ command: 'view', path: wrong }),
        () => memory.create({ command: 'create', path: wrong, file_text: 'x' }),
        () => memory.str_replace({ command: 'str_replace', path: wrong, old_str: 'secret', new_str: 'x' }),
        () => memory.insert({ command: 'insert', path: wrong, insert_line: 0, insert_text: 'x' }),
        () => memory.delete({ command: 'delete', path: wrong }),
        () => memory.rename({ command: 'rename', old_path: wrong, new_path: '/memories/b' }),
        () => memory.rename({ command: 'rename', old_path: '/memories/b', new_path: wrong }),
      ]
      for (const run of commands) await assert.rejects(run(), message, JSON.stringify(wrong))
    }
    assert.equal(await readFile(outside, 'utf8'), 'secret')
    assert.deepEqual(await readdir(path), ['memories', 'secret.txt'])
    assert.deepEqual(await readdir(join(path, 'memories')), [])
  })
}

test('MemoryFolder writes nothing outside its folder, whatever the paths', async (t) => {
  const { path, memory } = await folderOf(t)
  const piece = fc.constantFrom('..', '.', '/', '\\', '%2e', '%2f', '%', 'a', 'memories', '\0', ':', '\u2025', ' ', '~')
  const paths = fc.array(piece, { maxLength: 8 }).map((pieces) => `/memories/${pieces.join('')}`)
  await fc.assert(
    fc.asyncProperty(paths, paths, async (one, other) => {
      await memory.create({ command: 'create', path: one, file_text: 'x' }).catch(() => {})
      await memory.rename({ command: 'rename', old_path: one, new_path: other }).catch(() => {})
      await memory.delete({ command: 'delete', path: other }).catch(() => {})
      assert.deepEqual(await readdir(path), ['memories', 'secret.txt'])
    }),
    { numRuns: 200 },
  )
})

test('MemoryFolder refuses symbolic links that lead out of it or nowhere', async (t) => {
  const { path, memory, outside } = await folderOf(t)
  const root = join(path, 'memories')
  await symlink(path, join(root, 'up'))
  await symlink(outside, join(root, 'file'))
  await symlink(join(path, 'not-there'), join(root, 'dangling'))
  await mkdir(join(root, 'sub'))
  await symlink('../..', join(root, 'sub/up'))
  for (const name of ['up', 'up/secret.txt', 'file', 'dangling', 'dangling/x', 'sub/up', 'sub/up/secret.txt']) {
    const link = `/memories/${name}`
    await assert.rejects(memory.view({ command: 'view', path: link }), /via symlink/, link)
    await assert.rejects(memory.create({ command: 'create', path: link, file_text: 'x' }), /via symlink/, link)
    await assert.rejects(memory.delete({ command: 'delete', path: link }), /via symlink/, link)
    await assert.rejects(memory.rename({ command: 'rename', old_path: link, new_path: '/memories/b' }), /via symlink/)
    const inserted = memory.insert({ command: 'insert', path: link, insert_line: 0, insert_text: 'x' })
    await assert.rejects(inserted, /via symlink/, link)
  }
  assert.deepEqual((await memory.view({ command: 'view', path: '/memories' })).split('\n').slice(2), [
    (await memory.view({ command: 'view', path: '/memories/sub' })).split('\n')[1]!.replace('sub', 'sub/'),
  ])
  assert.equal(await readFile(outside, 'utf8'), 'secret')
  assert.deepEqual(await readdir(path), ['memories', 'secret.txt'])
})

test('MemoryFolder follows a link that stays inside, and deletes the link alone', async (t) => {
  const { path, memory } = await folderOf(t)
  await memory.create({ command: 'create', path: '/memories/a.txt', file_text: 'one' })
  await symlink('a.txt', join(path, 'memories/link'))
  await memory.str_replace({ command: 'str_replace', path: '/memories/link', old_str: 'one', new_str: 'two' })
  assert.equal(await readFile(join(path, 'memories/a.txt'), 'utf8'), 'two')
  await memory.delete({ command: 'delete', path: '/memories/link' })
  assert.deepEqual(await readdir(join(path, 'memories')), ['a.txt'])
})

test('MemoryFolder works below a folder that is itself a link', async (t) => {
  const { path } = await folderOf(t)
  await mkdir(join(path, 'real'))
  await symlink(join(path, 'real'), join(path, 'alias'))
  const memory = new MemoryFolder(join(path, 'alias'))
  await memory.create({ command: 'create', path: '/memories/a', file_text: 'x' })
  assert.equal(await readFile(join(path, 'real/memories/a'), 'utf8'), 'x')
})

test('MemoryFolder replaces text over several lines, and only if it stands there once', async (t) => {
  const { memory } = await folderOf(t)
  const path = '/memories/a'
  await memory.create({ command: 'create', path, file_text: 'a\nb\nc\nb b' })
  const shown = await memory.str_replace({ command: 'str_replace', path, old_str: 'a\nb', new_str: '$&\n$1' })
  assert.match(shown, / {5}1\t\$&\n {5}2\t\$1\n {5}3\tc/)
  const twice = memory.str_replace({ command: 'str_replace', path, old_str: 'b', new_str: 'x' })
  await assert.rejects(twice, /Multiple occurrences of old_str `b` in lines: 4/)
  const never = memory.str_replace({ command: 'str_replace', path, old_str: '', new_str: 'x' })
  await assert.rejects(never, /did not appear verbatim/)
})

test('MemoryFolder keeps what commands at once write', async (t) => {
  const { memory, path } = await folderOf(t)
  await memory.create({ command: 'create', path: '/memories/a', file_text: '' })
  const insert = (insert_text: string) =>
    memory.insert({ command: 'insert', path: '/memories/a', insert_line: 0, insert_text })
  await Promise.all(Array.from({ length: 20 }, (_, index) => insert(String(index))))
  assert.equal((await readFile(join(path, 'memories/a'), 'utf8')).split('\n').length, 21)
  assert.deepEqual(await readdir(join(path, 'memories')), ['a'])
})

test('MemoryFolder refuses files and listings beyond its limits', async (t) => {
  const { path } = await folderOf(t)
  const memory = new MemoryFolder(path, { maxFileBytes: 10, maxEntries: 2 })
  const create = (name: string, file_text: string) =>
    memory.create({ command: 'create', path: `/memories/${name}`, file_text })
  await assert.rejects(create('a', 'é'.repeat(6)), /too large: 12 bytes, more than 10/)
  await create('a', '0123456789')
  const longer = memory.insert({ command: 'insert', path: '/memories/a', insert_line: 0, insert_text: 'x' })
  await assert.rejects(longer, /too large/)
  await create('b', '')
  await create('c', '')
  const listed = await memory.view({ command: 'view', path: '/memories' })
  assert.deepEqual(listed.split('\n').slice(2), [
    '10B\t/memories/a',
    '0B\t/memories/b',
    '(more than 2 entries, the rest is left out)',
  ])
})

test('MemoryFolder makes files that only their owner reads', { skip: process.platform === 'win32' }, async (t) => {
  const { memory, path } = await folderOf(t)
  await memory.create({ command: 'create', path: '/memories/sub/a', file_text: 'x' })
  await memory.insert({ command: 'insert', path: '/memories/sub/a', insert_line: 0, insert_text: 'y' })
  assert.equal((await stat(join(path, 'memories/sub/a'))).mode & 0o777, 0o600)
  assert.equal((await stat(join(path, 'memories/sub'))).mode & 0o777, 0o700)
})

test('MemoryFolder tells the model no path of the machine when the file system fails', async (t) => {
  const { path } = await folderOf(t)
  await writeFile(join(path, 'file'), '')
  const memory = new MemoryFolder(join(path, 'file'))
  await assert.rejects(memory.view({ command: 'view', path: '/memories' }), (error: Error) => {
    assert.doesNotMatch(error.message, /colloquy-memory/)
    return true
  })
})

test('memoryTool() checks the command before a handler sees it', async (t) => {
  const { memory } = await folderOf(t)
  const tool = memoryTool(memory, { cache_control: { type: 'ephemeral' } })
  assert.deepEqual([tool.type, tool.name, tool.cache_control], ['memory_20250818', 'memory', { type: 'ephemeral' }])
  for (const [input, message] of [
    [{}, /command must be one of view, create, .*: found undefined/],
    [{ command: 'toString' }, /command must be one of/],
    [{ command: 'view' }, /view needs a path that is a string: found undefined/],
    [{ command: 'insert', path: '/memories/a', insert_line: '1', insert_text: '' }, /insert_line that is a number/],
    [null, /command must be one of/],
  ] as const) {
    assert.throws(() => tool.parse!(input), message)
  }
})
