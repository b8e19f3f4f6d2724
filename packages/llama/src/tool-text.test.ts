import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallFinder } from './tool-text.ts'

/** The text before a call and the beginning of its name, from a reply that arrives a character at a time. */
function found(reply: string, names = ['add', 'subtract']): { text: string; name: string | undefined } {
  const finder = new CallFinder(names)
  let text = ''
  for (const character of reply) {
    const { text: said, name } = finder.push(character)
    text += said
    if (name !== undefined) return { text, name }
  }
  return { text: text + finder.rest, name: undefined }
}

const opened = '{"name": "a'
const calls: [text: string, reply: string][] = [
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
]
for (const [text, reply] of calls) {
  test(`CallFinder finds the call in ${JSON.stringify(reply)}`, () => {
    assert.deepEqual(found(reply).text, text)
    assert.match(found(reply).name ?? 'none', /^a?$/)
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
  '',
]
for (const text of texts) {
  test(`CallFinder leaves the text ${JSON.stringify(text)} as it is`, () =>
    assert.deepEqual(found(text), { text, name: undefined }))
}

test('CallFinder holds nothing back without tools', () => {
  assert.deepEqual(new CallFinder([]).push('<tool_call>{"name": "a'), {
    text: '<tool_call>{"name": "a',
    name: undefined,
  })
})
