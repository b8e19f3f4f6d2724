import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { loadRuntime } from './runtime.ts'

test('a runtime that is missing or cannot be loaded is an error that crosses HTTP, and is not retried', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'colloquy-runtime-'))
  t.after(() => rm(folder, { recursive: true }))
  const isUnusable = (message: RegExp) => (error: { errorCode: unknown; headers: Headers; message: string }) => {
    assert.match(error.message, message)
    assert.deepEqual([error.errorCode, error.headers.get('x-should-retry')], ['unusable_model_file', 'false'])
    return true
  }
  await assert.rejects(loadRuntime(join(folder, 'nothing')), isUnusable(/node-llama-cpp is not installed/))
  const runtime = join(folder, 'node_modules/node-llama-cpp')
  await mkdir(runtime, { recursive: true })
  await writeFile(join(runtime, 'package.json'), '{"name":"node-llama-cpp","main":"index.js"}')
  await writeFile(join(runtime, 'index.js'), 'throw new Error("no binary fits\\nthis machine")')
  await assert.rejects(loadRuntime(folder), isUnusable(/Cannot load node-llama-cpp: no binary fits"/))
})
