import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { builtProgram } from '../../../../../test/built-program.ts'
import { until } from '../../../../../test/until.ts'

const exec = promisify(execFile)
const hasTmux = spawnSync('tmux', ['-V']).status === 0

test(
  'chat in tmux: stop a reply, narrow the window, continue, leave, resume, suspend',
  { skip: hasTmux ? false : 'NOT RUN: tmux is not installed' },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'colloquy-tmux-'))
    const socket = join(folder, 'socket')
    const tmux = async (...words: string[]): Promise<string> => (await exec('tmux', ['-S', socket, ...words])).stdout
    const keys = (...words: string[]): Promise<string> => tmux('send-keys', '-t', 'chat', ...words)
    const sees = async (pattern: RegExp): Promise<string> => {
      let text = ''
      const isSeen = async (): Promise<boolean> => {
        text = await tmux('capture-pane', '-p', '-J', '-S', '-', '-t', 'chat')
        return pattern.test(text)
      }
      await until(isSeen, () => `${pattern} is not seen:\n${text}`)
      return text
    }
    /** Types a command into an empty terminal, so that nothing before it is seen. */
    const runs = async (command: string): Promise<void> => {
      await keys('clear', 'Enter')
      await until(async () => /^\S*[#$>]\s*$/.test(await tmux('capture-pane', '-p', '-t', 'chat')))
      await tmux('clear-history', '-t', 'chat')
      await keys(command, 'Enter')
    }
    const start = `${process.execPath} ${builtProgram} chat --engine offline`
    const environment = [
      `XDG_DATA_HOME=${folder}/data`,
      `XDG_STATE_HOME=${folder}/state`,
      'PS1=ready> ',
      'IGNOREEOF=99',
      'LC_ALL=C.UTF-8',
    ]
    try {
      const variables = environment.flatMap((variable) => ['-e', variable])
      await tmux(
        '-f',
        '/dev/null',
        'new-session',
        '-d',
        '-s',
        'chat',
        '-x',
        '90',
        '-y',
        '24',
        ...variables,
        // In place of the login shell of the user, which would be its parent.
        'exec bash --norc',
      )
      await tmux('pipe-pane', '-t', 'chat', `cat > ${folder}/bytes`)
      await keys(start, 'Enter')
      await sees(/Ask anything/)
      await keys('Count to 4000', 'Enter')
      await sees(/1, 2, 3, 4, 5/)
      await tmux('resize-window', '-t', 'chat', '-x', '40', '-y', '12')
      await keys('C-c')
      await sees(/■ stopped · kept/)
      await keys('go on', 'Enter')
      await sees(/> go on\s+\d\d?\d?, \d/)
      await keys('Escape')
      await sees(/■ stopped[^]*■ stopped/)
      // Every number up to the stop is in the scrollback once and in order, in spite of the resizing.
      const numbers = [...(await sees(/stopped/)).matchAll(/(?<=^|\s)(\d+),/g)].map((match) => Number(match[1]))
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
      )
      await keys('C-d')
      const [, id] = /resume: colloquy chat -r (\w{6})/.exec(await sees(/resume: colloquy chat -r \w{6}/)) ?? []
      await runs(`${start} -r ${id}`)
      await sees(/“Count to 4000”[^]*interrupted[^]*Ask anything/)
      const bytes = await readFile(join(folder, 'bytes'), 'latin1')
      assert.doesNotMatch(bytes.slice(0, bytes.indexOf('resume: ')), /\x1b\[[23]J|\x1b\[\?1049/)
      // Suspended by the user, and stopped by another program, which the chat cannot prepare for.
      const shell = (await tmux('display-message', '-p', '-t', 'chat', '#{pane_pid}')).trim()
      const { stdout: pid } = await exec('pgrep', ['-P', shell])
      await keys('C-z')
      await sees(/Stopped/)
      await keys('fg', 'Enter', '6 * 7', 'Enter')
      await sees(/Stopped[^]*6 \* 7 = 42\s[^]*Ask anything/)
      process.kill(Number(pid), 'SIGSTOP')
      await sees(/Stopped[^]*Stopped/)
      process.kill(Number(pid), 'SIGCONT')
      await keys('fg', 'Enter', '6 * 8', 'Enter')
      await sees(/6 \* 8 = 48\s[^]*Ask anything/)
      await keys('C-d')
      await sees(/resume: [^]*[#$>]\s*$/)
      // A chat that waits for a named pipe ends when it is left a second time.
      await runs(`mkfifo ${folder}/pipe; ${start} -m claude-opus-5-5`)
      await sees(/opus[^]*Ask anything/)
      await keys(`/attach ${folder}/pipe`)
      await keys('Enter')
      await sees(/attach \S+pipe\s+> Ask anything/)
      // Two quick presses are one, and so are two that a busy machine reads together.
      await until(async () => {
        await keys('C-d')
        await sleep(1_200)
        return /Terminated/.test(await tmux('capture-pane', '-p', '-t', 'chat'))
      })
      // At a question Ctrl-D is no, and Ctrl-C ends the program.
      for (const [key, end] of [
        ['C-d', /\[y\/N\]\s+Nothing/],
        ['C-c', /\[y\/N\]\s+\S*[#$>]\s*$/],
      ] as const) {
        await runs(`${process.execPath} ${builtProgram} chat delete ${id}`)
        await sees(/for good\? \[y\/N\]/)
        await keys(key)
        await sees(end)
      }
      // Without a shell that could continue it, Ctrl-Z does not stop it.
      await tmux('respawn-pane', '-k', '-t', 'chat', ...variables, `exec ${start}`)
      await sees(/Ask anything/)
      // A window that is cleared leaves no copies of the line that is typed.
      await keys('C-l', 'abc')
      assert.doesNotMatch(await sees(/> abc *$/m), /Ask anything|> ab? *$/m)
      await keys('C-u', 'C-z', '6 * 9', 'Enter')
      await sees(/6 \* 9 = 54\s[^]*Ask anything/)
    } finally {
      await tmux('kill-server').catch(() => {})
      await rm(folder, { recursive: true, force: true })
    }
  },
)
