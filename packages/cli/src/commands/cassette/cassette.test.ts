import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { builtProgram } from '../../../../../test/built-program.ts'
import { programEnvironment } from '../../../../../test/program-environment.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-cassette-'))
after(() => rmSync(folder, { recursive: true }))

/** A program that knows nothing of the library. */
const program = `
  const response = await fetch(process.env.ANTHROPIC_BASE_URL + '/v1/messages', {
    method: 'POST',
    headers: { 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-ant-of-the-program' },
    body: JSON.stringify({ model: 'claude-opus-5-5', max_tokens: Number(process.argv[2]), messages: [{ role: 'user', content: 'What is 6 * 7?' }] }),
  })
  const body = await response.json()
  console.log(response.status, body.content?.[0].text ?? body.error.message)
  process.exitCode = response.ok ? 0 : 7
`
writeFileSync(join(folder, 'program.mjs'), program)

function colloquy(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [builtProgram, ...words],
      {
        cwd: folder,
        env: { ...programEnvironment, HOME: folder },
      },
      (error, stdout, stderr) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

test('record and replay run a program in any language, which exits with its own code', async () => {
  const command = (tokens: string): string[] => ['--', process.execPath, 'program.mjs', tokens]
  const recorded = await colloquy('record', 'sums.json', '--engine', 'offline', ...command('100'))
  assert.deepEqual(recorded, { code: 0, stdout: '200 6 * 7 = 42\n', stderr: '' })
  const text = readFileSync(join(folder, 'sums.json'), 'utf8')
  assert.match(text, /What is 6 \* 7\?/)
  assert.doesNotMatch(text, /sk-ant/)
  assert.deepEqual(await colloquy('replay', 'sums.json', ...command('100')), recorded)
  const other = await colloquy('replay', 'sums.json', ...command('99'))
  assert.equal(other.code, 7)
  assert.match(
    other.stdout,
    /^400 No recording in sums\.json matches the request: .* exchange 1, differs:\n {2}max_tokens: recorded 100, now 99\n/,
  )
})

test('record and replay say what is missing', async () => {
  const outcomes = await Promise.all([colloquy('replay', 'none.json'), colloquy('record')])
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    [2, 2],
  )
  assert.match(
    outcomes[0].stderr,
    /Cannot replay none\.json: no such file or folder\. colloquy record none\.json makes it/,
  )
  assert.match(outcomes[1].stderr, /Cannot record without a file: colloquy record FILE \[-- COMMAND…\]/)
})
