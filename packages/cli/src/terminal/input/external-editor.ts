import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type EditResult = { text: string } | { failure: string }

/** Opens the text in `$VISUAL` or `$EDITOR` and waits until the user closes it. The terminal must not be read meanwhile. */
export function editExternally(text: string): EditResult {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  const file = join(folder, 'message.md')
  try {
    writeFileSync(file, text, { mode: 0o600 })
    const command = process.env['VISUAL'] || process.env['EDITOR'] || 'vi'
    const { error, status } = spawnSync(`${command} "${file}"`, { stdio: 'inherit', shell: true })
    if (error !== undefined || status !== 0) {
      return { failure: `${command} ended with ${error?.message ?? status}: nothing changed` }
    }
    return { text: readFileSync(file, 'utf8').replace(/\n$/, '') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
