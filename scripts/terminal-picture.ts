// npm run picture: draws docs/images/terminal-chat.svg from a run of the chat with the offline engine, in tmux.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

interface Style {
  bold: boolean
  dim: boolean
  italic: boolean
  colour: number | undefined
}

const columns = 84
const rows = 34
const cell = { width: 8.4, height: 19, margin: 20 }
const background = '#16181d'
const foreground = '#d8dee9'
// The colours 0 to 7 of the terminal, then their bright forms.
const palette = ['#3b4252', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d8dee9', '#7b8494']

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'colloquy-picture-'))

try {
  writeFileSync(join(root, 'docs/images/terminal-chat.svg'), draw(await chat()))
} finally {
  tmux('kill-server')
  rmSync(folder, { recursive: true, force: true })
}

/** The lines that the terminal shows after a short chat, with their escape sequences. */
async function chat(): Promise<string[]> {
  const environment = [`XDG_DATA_HOME=${folder}`, `XDG_STATE_HOME=${folder}`, `XDG_CONFIG_HOME=${folder}`]
  const program = `${process.execPath} --conditions=@colloquy/source ${join(root, 'packages/cli/src/main.ts')}`
  const size = ['-x', String(columns), '-y', String(rows)]
  const variables = environment.flatMap((variable) => ['-e', variable])
  tmux('-f', '/dev/null', 'new-session', '-d', ...size, ...variables, `${program} chat --engine offline --no-save`)
  await sees(/Ask anything/)
  await says('Hello! My name is Ada.', /context <1%\s+> Ask anything/)
  await says('What is my name?', /(?:context <1%[^]*){2}> Ask anything/)
  await says('Write a TypeScript function', /(?:context <1%[^]*){3}> Ask anything/)
  return tmux('capture-pane', '-e', '-p')
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ · [\d.]+ s\b(?: · [\d.]+ tok\/s)?/, '')) // they differ from run to run
}

async function says(text: string, pattern: RegExp): Promise<void> {
  tmux('send-keys', '-l', text)
  tmux('send-keys', 'Enter')
  await sees(pattern)
}

async function sees(pattern: RegExp): Promise<void> {
  const giveUpAt = Date.now() + 20_000
  for (;;) {
    const text = tmux('capture-pane', '-p')
    if (pattern.test(text)) return
    if (Date.now() > giveUpAt) throw new Error(`The chat never showed ${pattern}:\n${text}`)
    await wait(50)
  }
}

function tmux(...words: string[]): string {
  return execFileSync('tmux', ['-S', join(folder, 'socket'), ...words], { encoding: 'utf8' })
}

function draw(lines: string[]): string {
  const width = Math.ceil(columns * cell.width + 2 * cell.margin)
  const height = lines.length * cell.height + 2 * cell.margin
  const style: Style = { bold: false, dim: false, italic: false, colour: undefined }
  const texts = lines.flatMap((line, row) => drawLine(line, row, style))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A chat in the terminal">
<rect width="${width}" height="${height}" rx="8" fill="${background}"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" fill="${foreground}">
${texts.join('\n')}
</g>
</svg>
`
}

/** One text for each run of one style. `textLength` keeps the columns whatever font the reader has. */
function drawLine(line: string, row: number, style: Style): string[] {
  const y = cell.margin + (row + 0.75) * cell.height
  let column = 0
  return line.split(/(\x1b\[[\d;]*m)/).flatMap((part) => {
    if (part.startsWith('\x1b')) {
      change(style, part.slice(2, -1).split(';').map(Number))
      return []
    }
    const x = (cell.margin + column * cell.width).toFixed(1)
    const length = (part.length * cell.width).toFixed(1)
    column += part.length
    if (part.trim() === '') return []
    return [`<text x="${x}" y="${y}" textLength="${length}"${attributes(style)}>${escape(part)}</text>`]
  })
}

function change(style: Style, codes: number[]): void {
  for (const code of codes) {
    if (code === 0) Object.assign(style, { bold: false, dim: false, italic: false, colour: undefined })
    else if (code === 1) style.bold = true
    else if (code === 2) style.dim = true
    else if (code === 3) style.italic = true
    else if (code === 22) Object.assign(style, { bold: false, dim: false })
    else if (code === 23) style.italic = false
    else if (code === 39) style.colour = undefined
    else if (code >= 30 && code <= 37) style.colour = code - 30
    else if (code === 90) style.colour = 8
    else if (code !== 49) throw new Error(`Cannot draw the style ${code}: add it to change().`)
  }
}

function attributes({ bold, dim, italic, colour }: Style): string {
  return [
    bold ? ' font-weight="bold"' : '',
    italic ? ' font-style="italic"' : '',
    colour === undefined ? '' : ` fill="${palette[colour]}"`,
    dim ? ' opacity="0.6"' : '',
  ].join('')
}

/** Spaces become no-break spaces, because SVG drops those at the ends of a text. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(' ', '\u00a0')
}
