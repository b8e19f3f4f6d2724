import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bestOf, candidateLine, matching, type Candidate } from './candidates.ts'

function candidate(name: string, parameters: number | undefined): Candidate {
  const isFile = !/^(?:ollama|vllm)\//.test(name)
  return {
    name,
    engine: isFile
      ? { kind: 'local', model: { path: `/${name}.gguf`, title: name } }
      : { kind: 'chat', url: 'http://127.0.0.1:1/v1', model: name },
    from: isFile ? 'own' : 'ollama',
    bytes: 1_300_000_000,
    parameters,
    window: 8192,
    license: 'mit',
  }
}

test('the smallest useful model of a server is the best, then that of a file, then one that was fetched', () => {
  const small = candidate('smollm2', 135)
  const file = candidate('file', 1_500)
  const [large, useful] = [candidate('ollama/large', 70_000), candidate('ollama/useful', 3_000)]
  const unknown = candidate('vllm/unknown', undefined)
  assert.equal(bestOf([small, file, large, useful, unknown])?.name, 'ollama/useful')
  assert.equal(bestOf([small, file, unknown])?.name, 'file')
  assert.equal(bestOf([small, unknown])?.name, 'smollm2')
  assert.equal(bestOf([unknown]), undefined)
})

test('a name without its program is enough if only one has it', () => {
  const all = [candidate('ollama/a:1b', 1_000), candidate('vllm/a:1b', 1_000), candidate('ollama/b', 1_000)]
  assert.equal(matching(all, 'b')?.name, 'ollama/b')
  assert.equal(matching(all, 'a:1b'), undefined)
  assert.equal(matching(all, 'vllm/a:1b')?.name, 'vllm/a:1b')
})

test('a line tells the size, parameters, window and licence that are known', () => {
  assert.equal(candidateLine(candidate('a', 1_235)), 'a · 1.3 GB · 1.2 B parameters · 8k window · mit')
  assert.equal(candidateLine({ ...candidate('a', undefined), bytes: undefined, license: undefined }), 'a · 8k window')
})
