import assert from 'node:assert/strict'
import test from 'node:test'
import { commandHelp, programHelp, subcommandHelp } from './help.ts'
import { commands } from './table.ts'

/** The flags and subcommands of a help, without its examples, which are not broken. */
function tableOf(text: string): string[] {
  return text.slice(0, text.indexOf('Examples:')).split('\n')
}

test('help is wrapped at words for a terminal, and has one line a flag elsewhere', () => {
  for (const width of [40, 80]) {
    const texts = [programHelp(commands, width), ...commands.map((command) => commandHelp(command, width))]
    // A name that is longer than a line stays whole. Its description begins two spaces behind it, or far to the right.
    const isDescription = (line: string): boolean => / {2}\S/.test(line.trimStart()) || line.startsWith(' '.repeat(10))
    const long = texts.flatMap(tableOf).filter((line) => line.length >= width && isDescription(line))
    assert.deepEqual(long, [])
  }
  for (const command of commands) {
    const lines = tableOf(commandHelp(command))
    for (const { name, about } of command.options)
      assert.ok(lines.some((line) => line.includes(`--${name}`) && line.endsWith(about)))
  }
})

test('help of a subcommand has its own flags only', () => {
  const command = commands.find(({ name }) => name === 'keys')!
  const subcommand = command.subcommands!.find(({ name }) => name === 'rotate')!
  const text = `Replace the secret of a key.

colloquy keys rotate [FLAGS] NAME

      --grace TIME         Accept the earlier secret for this long, such as 1h
      --database FILE|URL  Keys and usage: a SQLite file or postgres://… (default: see colloquy paths)
      --json               Print JSON
  -h, --help               Show this help
`
  assert.equal(subcommandHelp(command, subcommand), text)
})
