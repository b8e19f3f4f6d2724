import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallFinder } from './tool-text.ts'

interface Found {
  /** The text before the call. */
  text: string
  /** The beginning of its name. */
  name: string | undefined
  /** The text between the name and the arguments. */
  middle?: string
}

/** The call in a reply that arrives a character at a time. */
function found(reply: string, names = ['add', 'subtract']): Found {
  const finder = new CallFinder(names)
  let text = ''
  for (const character of reply) {
    const { text: said, call } = finder.push(character)
    text += said
    if (call !== undefined) return { text, name: call.name, middle: call.form.middle }
  }
  return { text: text + finder.rest, name: undefined }
}

const opened = '{"name": "a'
const inJson = '", "arguments": '
const calls: [text: string, reply: string, middle?: string][] = [
  ['', `<tool_call>\n${opened}`],
  ['', `\n<tool_call> ${opened}`],
  ['', opened],
  ['', `\`\`\`json\n${opened}`],
  ['', `\`\`\`\n${opened}`],
  ['', `[${opened}`],
  ['', '{"type": "function", "name": "a'],
  ['', '{"type": "function", "function": {"name": "a'],
  ['', '<tool_call>{"type": "function", "function": {"name": "a'],
  ['I add 1 < 2.\n', `I add 1 < 2.\n<tool_call>\n${opened}`],
  ['<tool<tool_call>x ', `<tool<tool_call>x <tool_call>${opened}`],
  // The forms that models of these families have learned.
  ['', `[TOOL_CALLS] [${opened}`],
  ['I add.', `I add.[TOOL_CALLS][${opened}`],
  ['', '[TOOL_CALLS]add[ARGS]{"terms"', '[ARGS]'],
  ['I add [1].', 'I add [1].[TOOL_CALLS]add{"terms"', '[ARGS]'],
  ['', `<|python_tag|>${opened}`],
  ['I add.', 'I add.<|python_tag|>{"type": "function", "name": "add'],
  ['Sure.\n', `Sure.\n<|tool_call|>[${opened}`],
  ['', `<|tool_call|>[ {"type": "function", "function": {"name": "a`],
  ['', '<function=add>{"terms"', '>'],
  ['I add.\n', 'I add.\n<function=add>{"terms"', '>'],
  ['I add.\n', 'I add.\n<tool_call>\n<function=add>\n<parameter=terms>', '>'],
]
for (const [text, reply, middle = inJson] of calls) {
  test(`CallFinder finds the call in ${JSON.stringify(reply)}`, () => {
    const { text: before, name, middle: next } = found(reply)
    assert.deepEqual([before, next], [text, middle])
    assert.ok('add'.startsWith(name ?? 'none'), name)
  })
}

const texts = [
  'Hello',
  '{"name": "Bob", "age": 3}',
  '```json\n{"name": "Bob"}\n```',
  '[{"name": "Bob"}]',
  '{"type": "point"}',
  '{"nam',
  'I write <tool_call> before a call.',
  'It is <tool_ca',
  '<tool_call>',
  'As JSON: {"name": "add"}',
  'It is written <function=map> here, [TOOL_CALLS] there and <|python',
  '<function=map>',
  '[1, 2]',
  '[TOOL_CALLS]multiply',
  '',
]
for (const text of texts) {
  test(`CallFinder leaves the text ${JSON.stringify(text)} as it is`, () =>
    assert.deepEqual(found(text), { text, name: undefined }))
}

test('CallFinder holds nothing back without tools', () => {
  assert.deepEqual(new CallFinder([]).push('<tool_call>{"name": "a'), {
    text: '<tool_call>{"name": "a',
    call: undefined,
  })
})
