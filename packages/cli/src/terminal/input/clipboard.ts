import { spawn } from 'node:child_process'

/** Terminals ignore longer sequences. Characters. */
const maxSequence = 100_000

/** Copies text to the clipboard by OSC 52, which also works over ssh, and with the system's own program if there is one. */
export async function copyToClipboard(text: string, terminal: { write(text: string): unknown }): Promise<void> {
  const code = Buffer.from(text).toString('base64')
  if (code.length < maxSequence) terminal.write(`\x1b]52;c;${code}\x07`)
  for (const [program, ...args] of clipboardPrograms()) {
    if (await feed(program ?? '', args, bytesFor(program, text))) return
  }
}

/** clip.exe reads UTF-16 with its mark, and takes other bytes for those of an old code page. */
export function bytesFor(program: string | undefined, text: string): Uint8Array {
  return program === 'clip.exe' ? Buffer.from(`\uFEFF${text}`, 'utf16le') : Buffer.from(text)
}

function clipboardPrograms(): string[][] {
  if (process.platform === 'darwin') return [['pbcopy']]
  if (process.platform === 'win32') return [['clip.exe']]
  if (process.env['WAYLAND_DISPLAY']) return [['wl-copy']]
  return process.env['DISPLAY']
    ? [
        ['xclip', '-selection', 'clipboard'],
        ['xsel', '-ib'],
      ]
    : []
}

/** Passes the text to the standard input of a program. Resolves to false if it cannot be run or fails. */
function feed(program: string, args: readonly string[], text: Uint8Array): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] })
  child.on('error', () => resolve(false))
  child.on('close', (code) => resolve(code === 0))
  child.stdin.on('error', () => {})
  child.stdin.end(text)
  return promise
}
