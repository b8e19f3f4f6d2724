import assert from 'node:assert/strict'
import test from 'node:test'
import { commandHelp, programHelp } from './help.ts'
import { commands } from './table.ts'

/** The flags and subcommands of a help, without its examples, which are not broken. */
function tableOf(text: string): string[] {
  return text.slice(0, text.indexOf('Examples:')).split('\n')
}

test('help is wrapped at words for a terminal, and has one line a flag elsewhere', () => {
  for (const width of [40, 80]) {
    const texts = [programHelp(commands, width), ...commands.map((command) => commandHelp(command, width))]
    // The line of the synopsis, and names that are longer than a line, stay whole.
    const long = texts.flatMap(tableOf).filter((line) => line.length >= width && /^ +.* /.test(line.slice(6)))
    assert.deepEqual(
      long.filter((line) => line.startsWith(' '.repeat(10))),
      [],
    )
  }
  for (const command of commands) {
    const lines = tableOf(commandHelp(command))
    for (const { name, about } of command.options)
      assert.ok(lines.some((line) => line.includes(`--${name}`) && line.endsWith(about)))
  }
})
