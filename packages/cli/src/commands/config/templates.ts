import { readTemplate, templateNames } from '../../config/template.ts'
import { ExitCode, UsageError } from '../../exit.ts'
import { filePaths } from '../../file-paths.ts'
import type { Flags } from '../../flags.ts'
import { firstLine } from '../../format.ts'
import { writeJson, writeLine } from '../../terminal/output.ts'

/** Runs `colloquy templates [NAME]`: lists the templates, or shows one. */
export async function showTemplates(words: readonly string[], flags: Flags): Promise<number> {
  if (words.length > 1) throw new UsageError('Cannot show several templates: give one name')
  const found = await Promise.all((words.length > 0 ? words : templateNames()).map(readTemplate))
  if (flags.has('json')) {
    writeJson(
      found.map(({ name, settings, body }) => ({ name, settings: Object.fromEntries(settings), body })),
      2,
    )
    return ExitCode.ok
  }
  if (found.length === 0) writeLine(`No templates yet. Each is a Markdown file in ${filePaths().templates}.`)
  for (const { name, settings, body } of found) {
    if (words.length === 0) writeLine(`${name}  ${firstLine(body)}`)
    else for (const line of [...settings].map((pair) => pair.join(': ')).concat('', body.split('\n'))) writeLine(line)
  }
  return ExitCode.ok
}
