import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { commands } from '../table.ts'
import { scripts } from './scripts.ts'
import { completeWords } from './words.ts'

const home = await mkdtemp(join(tmpdir(), 'colloquy-completion-'))
after(() => rm(home, { recursive: true, force: true }))
const templates = join(home, 'config/colloquy/templates')
await mkdir(templates, { recursive: true })
await writeFile(join(templates, 'translate.md'), 'Translate {{input}}')
await writeFile(join(home, 'config/colloquy/config.json'), '{ "profiles": { "cheap": {} } }')
Object.assign(process.env, { HOME: home, XDG_CONFIG_HOME: join(home, 'config'), XDG_DATA_HOME: join(home, 'data') })

test('words are completed to commands, subcommands, flags and their values', async () => {
  const cases: [line: string, expected: string[]][] = [
    ['mod', ['models']],
    ['chat exp', ['export']],
    ['--contin', ['--continue']],
    ['ask --out', ['--output', '--out']],
    ['ask --output ', ['text', 'json', 'stream-json']],
    ['ask --output=j', ['--output=json']],
    ['chat -t ', ['translate']],
    ['chat --profile ', ['cheap']],
    ['templates tr', ['translate']],
    ['config get wr', ['wrap']],
    ['models get sm', ['smollm2', 'smollm2-1.7b']],
    ['chat -r ', []],
    ['completion f', ['fish']],
    ['ask -m claude-opus-5-', ['claude-opus-5-5']],
    ['serve nothing', []],
  ]
  for (const [line, expected] of cases) assert.deepEqual(await completeWords(line.split(' '), commands), expected, line)
})

test('each script is accepted by its shell', async () => {
  for (const [shell, flag] of [
    ['bash', '-n'],
    ['zsh', '-n'],
    ['fish', '--no-execute'],
  ] as const) {
    const path = join(home, shell)
    await writeFile(path, scripts.get(shell)!)
    const { error, status, stderr } = spawnSync(shell, [flag, path], { encoding: 'utf8' })
    // A shell that is not installed cannot judge its script.
    if (error === undefined) assert.deepEqual([status, stderr], [0, ''], shell)
  }
})

test(
  'the script completes a word with a colon or an equal sign in Bash',
  { skip: spawnSync('bash', ['--version']).error ? 'NOT RUN: bash is not installed' : false },
  () => {
    const program = `${scripts.get('bash')!}
colloquy() { printf '%s\\n' --cost=short --cost=off ollama/llama3.2:1b; }
complete_line() {
  COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDS=("\${@:2}") COMP_CWORD=$(($# - 2)) COMPREPLY=()
  _colloquy 2>/dev/null
  echo "\${COMPREPLY[*]}"
}
complete_line 'colloquy chat --cost=s' colloquy chat --cost = s
complete_line 'colloquy chat -m ollama/llama3.2:' colloquy chat -m ollama/llama3.2 :
`
    assert.equal(execFileSync('bash', ['-c', program], { encoding: 'utf8' }), 'short\n:1b\n')
  },
)

test(
  'the script completes words in fish, and files where the program has no word',
  { skip: spawnSync('fish', ['--version']).error ? 'NOT RUN: fish is not installed' : false },
  () => {
    const program = `${scripts.get('fish')!}
function colloquy
    contains -- -f $argv; or printf '%s\\n' api offline
end
complete -C 'colloquy chat --engine '
complete -C 'colloquy chat --engine off'
complete -C 'colloquy ask -f con'`
    const options = { encoding: 'utf8', cwd: home, env: { ...process.env, HOME: home } } as const
    assert.equal(execFileSync('fish', ['--no-config', '-c', program], options), 'api\noffline\noffline\nconfig/\n')
  },
)
