import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { localModel, runtimeFolder } from '../../../../test/engines/local-model.ts'
import { gguf } from '../../../../test/gguf.ts'
import { instanceOf } from './instance.ts'
import { loadRuntime, type RawModel } from './runtime.ts'
import { piecesOf, Tokenizer } from './tokenizer.ts'

const path = await localModel()

test('piecesOf() cuts a long text between words and loses nothing', () => {
  const word = fc.oneof(fc.constantFrom('a', 'Zürich', '\n', ' ', '42', 'x'.repeat(9_000)), fc.string())
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), fc.constantFrom(' ', '\n', ''), (words, space) => {
      const text = words.join(space)
      const pieces = [...piecesOf(text)]
      assert.equal(pieces.join(''), text)
      for (const piece of pieces.slice(1)) assert.match(piece, /^ \p{L}/iu)
    }),
  )
  const prose = 'Twelve sailors and a cook, 24 days. '.repeat(3_000)
  assert.ok([...piecesOf(prose)].every(({ length }) => length < 16_050))
})

async function vocabularyOf(file: string): Promise<RawModel> {
  const llama = await instanceOf(await loadRuntime(runtimeFolder), 1)
  return llama.loadModel({ modelPath: file, vocabOnly: true } as { modelPath: string })
}

test('a text in pieces has the same tokens as a whole', { skip: path === undefined }, async () => {
  const raw = await vocabularyOf(path!)
  const text = 'The ship’s log: 12 knots, wind from SW.\n\n  for (const day of days) { count += 1 }\n'.repeat(1_000)
  assert.deepEqual(await new Tokenizer(raw).text(text), raw.tokenize(text, false))
  await raw.dispose()
})

test('a text in the middle of a prompt gets no space before it', { skip: path === undefined }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'colloquy-vocabulary-'))
  t.after(() => rm(folder, { recursive: true }))
  const raw = await vocabularyOf(await sentencePieces(folder))
  assert.equal(raw.tokenize('ab', false).length, 3)
  const tokenizer = new Tokenizer(raw)
  for (const tokens of [await tokenizer.text('ab'), tokenizer.template('ab', false)]) {
    assert.equal(tokens.length, 2)
  }
  assert.equal(tokenizer.template('ab', true).length, 3)
  await raw.dispose()
})

/** Writes a vocabulary of the kind that writes a space before each text. It has bytes, a space and two letters. */
async function sentencePieces(folder: string): Promise<string> {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, '▁', 'a', 'b']
  const file = join(folder, 'vocabulary.gguf')
  await writeFile(
    file,
    gguf({
      'general.architecture': 'llama',
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.scores': { floats: tokens.map((_, id) => -id) },
      'tokenizer.ggml.token_type': [2, 3, 3, ...bytes.map(() => 6), 1, 1, 1],
    }),
  )
  return file
}
