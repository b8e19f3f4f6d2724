import assert from 'node:assert/strict'
import test from 'node:test'
import { Flags } from '../flags.ts'
import { parse, unknownCommand } from './parse.ts'
import { commands } from './table.ts'
import { commandsElsewhere, flagsElsewhere, meantFlag } from './unknown-word.ts'

/** Parses a command line and, unless it asks for no more than that, runs it. */
async function run(line: string): Promise<number> {
  const { command, words, flags } = await parse(line.split(' '))
  return command.run(words, flags)
}

const mistakes: [line: string, message: string | RegExp][] = [
  ['chta', 'No command chta. Did you mean colloquy chat?'],
  ['list', 'No command list. Did you mean colloquy chat list?'],
  ['logs -n 3', 'No command logs. Did you mean colloquy chat list?'],
  ['constructor', /^No command constructor\. (?!.*function)/],
  ['__proto__', /^No command __proto__\. (?!.*object)/],
  ['ask --constructor x', 'No flag --constructor. Run colloquy ask --help for the list.'],
  ['ask --schema x', 'No flag --schema. Did you mean --json-schema?'],
  ['ask --json x', 'No flag --json. Did you mean --output json?'],
  ['ask -u x', 'No flag -u. Did you mean --usage?'],
  ['serve -u', 'No flag -u. Run colloquy serve --help for the list.'],
  ['hi there', 'No command hi. colloquy --help lists them; colloquy ask "hi there" sends a message.'],
  ['chat lst', 'No subcommand lst. Did you mean colloquy chat list?'],
  ['keys rotat', 'No subcommand rotat. Did you mean colloquy keys rotate?'],
  ['keys xyz', /^No subcommand xyz\. Give one of create, list, /],
  ['config lsit', 'No subcommand lsit. Did you mean colloquy config list?'],
  ['config get', 'Cannot get: give a setting. colloquy config list shows them'],
  ['config unset', 'Cannot unset: give a setting. colloquy config list shows them'],
  ['models get', /^Cannot fetch a model without its name: give one of smollm2, /],
  ['serve 8080', 'Cannot use 8080: colloquy serve takes only flags'],
  ['paths x', 'Cannot use x: colloquy paths takes only flags'],
  ['ask --max-tokens -5 x', 'Cannot use --max-tokens -5: it must be a whole number'],
  ['ask --retries=-1 x', 'Cannot use --retries -1: it must be a whole number'],
  ['ask --max-cost -.5 x', 'Cannot use --max-cost -.5: it must be a number above 0'],
  ['ask --max-tokens --strict', 'Cannot use --max-tokens: N is missing'],
  ['ask --extrct x', 'No flag --extrct. Did you mean --extract?'],
  ['ask -Z x', 'No flag -Z. Run colloquy ask --help for the list.'],
  ['ask --strict=yes x', 'Cannot use --strict=yes: --strict takes no value'],
  ['chat list --model x', 'Cannot use --model with colloquy chat list. colloquy chat list --help lists its flags.'],
  ['chat list trip', 'Cannot use trip: colloquy chat list takes only flags'],
  ['chat list --limit 0', 'Cannot use --limit 0: it must be at least 1'],
  [
    'keys revoke ada --rpm 5',
    'Cannot use --rpm with colloquy keys revoke. colloquy keys revoke --help lists its flags.',
  ],
  ['usage --by day,day', 'Cannot group by day,day: it names a field twice'],
  ['usage --csv --json', 'Cannot use --json with --csv: a report has one format'],
  ['usage week month', 'Cannot use month: week is the period'],
  ['ask --var a=b x', 'Cannot use --var a=b without --template'],
]

for (const [line, message] of mistakes) {
  test(`colloquy ${line} says what is wrong and what was meant`, async () => {
    await assert.rejects(run(line), { name: 'UsageError', exitCode: 2, message })
  })
}

for (const flag of ['-m', '--model', '--file', '--engine', '--profile', '--template', '--out']) {
  test(`colloquy ask refuses an empty ${flag}`, async () => {
    for (const empty of ['', ' ']) {
      const message = new RegExp(`^Cannot use ${flag}: [A-Z|:-]+ is empty$`)
      await assert.rejects(parse(['ask', flag, empty, 'hi']), { name: 'UsageError', exitCode: 2, message })
    }
  })
}

test('parse() accepts each flag of a subcommand, and its help', async () => {
  for (const { name, subcommands = [], options } of commands) {
    for (const subcommand of subcommands) {
      for (const flag of ['help', ...subcommand.flags]) {
        const option = options.find((each) => each.name === flag)
        assert.ok(option, `${name} ${subcommand.name} --${flag}`)
        const value = option.kind === 'flag' ? [] : [option.choices?.[0] ?? '1']
        const { flags } = await parse([name, subcommand.name, `--${flag}`, ...value])
        assert.ok(flags.has(flag))
      }
    }
  }
})

test('the flags and commands of other programs lead to ones that exist', async () => {
  const chatFlags = commands[0]!.options.map(({ name }) => name)
  const others = [...flagsElsewhere]
  for (const [word, flag] of others)
    assert.equal(
      await meantFlag(
        word,
        chatFlags.filter((name) => name !== word),
      ),
      flag,
    )
  for (const line of commandsElsewhere.values()) await parse(line.split(' '))
})

test('parse() takes a first word with a space for a message to chat', async () => {
  const { command, words, flags } = await parse(['What is 6 * 7?', '-m', 'haiku'])
  assert.deepEqual([command.name, words, flags.text('model')], ['chat', ['What is 6 * 7?'], 'haiku'])
  await assert.rejects(parse([' chta ']), { message: /^No command/ })
})

test('parse() reads an empty system prompt, which means none', async () => {
  const { flags } = await parse(['ask', '--system', '', 'hi'])
  assert.equal(flags.text('system'), '')
})

test('colloquy models says that no model has the words', async () => {
  await assert.rejects(run('models gte'), { message: 'No model matches gte. Did you mean colloquy models get?' })
})

test('unknownCommand() suggests the nearest command for each typing error of one letter', async () => {
  for (const { name } of commands) {
    const { message } = await unknownCommand([`${name}e`])
    assert.match(message, /Did you mean /, name)
  }
})

test('parse() reads the value of an attached flag, and leaves words alone', async () => {
  const values = async (line: string): Promise<unknown[]> => {
    const { words, flags } = await parse(line.split(' '))
    assert.ok(flags instanceof Flags)
    return [flags.has('extract'), flags.text('extract'), flags.text('system'), words.join(' ')]
  }
  assert.deepEqual(await values('ask -xpython hi'), [true, 'python', undefined, 'hi'])
  assert.deepEqual(await values('ask -x=c++ hi'), [true, 'c++', undefined, 'hi'])
  assert.deepEqual(await values('ask -x python'), [true, undefined, undefined, 'python'])
  assert.deepEqual(await values('ask --extract=js hi'), [true, 'js', undefined, 'hi'])
  assert.deepEqual(await values('ask -s -xpython -- -xjs'), [false, undefined, '-xpython', '-xjs'])
})
