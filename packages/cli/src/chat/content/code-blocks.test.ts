import assert from 'node:assert/strict'
import test from 'node:test'
import { codeBlocks, findCode } from './code-blocks.ts'

const replies: [what: string, text: string, blocks: [language: string, code: string][]][] = [
  ['no code', 'Hello `x` and ```y``` there.', []],
  ['a block without a language', '```\na\n\nb\n```', [['', 'a\n\nb\n']]],
  ['words after the language', '```Python title="a.py"\na\n```', [['python', 'a\n']]],
  ['fences inside a longer fence', '````md\n```js\na\n```\n````\n', [['md', '```js\na\n```\n']]],
  ['a fence with words does not close', '```md\n```js\na\n```', [['md', '```js\na\n']]],
  ['tildes around backticks', '~~~\n```\n~~~', [['', '```\n']]],
  ['an indented block in a list', '1. x\n    ```sh\n    a\n      b\n    ```\n', [['sh', 'a\n  b\n']]],
  ['a block that begins an item', '- ```sh\n  a\n  ```', [['sh', 'a\n']]],
  ['an empty block', '```\n```', [['', '']]],
  ['a block that is not closed', '```js\na\n', [['js', 'a\n']]],
]

for (const [what, text, blocks] of replies) {
  test(`codeBlocks() reads ${what}`, () => {
    assert.deepEqual(
      codeBlocks(text).map(({ language, code }) => [language, code]),
      blocks,
    )
  })
}

test('findCode() prefers a block with the same word over another name of the language', () => {
  const blocks = codeBlocks('```python3\na\n```\n```py\nb\n```\n```\nc\n```')
  assert.equal(findCode(blocks, 'PY')?.code, 'b\n')
  assert.equal(findCode(blocks, 'python')?.code, 'a\n')
  assert.equal(findCode(blocks, '')?.code, 'a\n')
  assert.equal(findCode(blocks, 'ruby'), undefined)
})
