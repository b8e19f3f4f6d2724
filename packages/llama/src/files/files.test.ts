import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import type { ListedModel } from './catalogue.ts'
import { checkSpace, download } from './download.ts'
import { findModels } from './find-models.ts'
import { getModel } from './get-model.ts'
import { readGguf } from './gguf.ts'
import { zipMember } from './zip.ts'

const folder = await mkdtemp(join(tmpdir(), 'colloquy-files-'))
const servers: Server[] = []
after(async () => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
  await rm(folder, { recursive: true, force: true })
})

async function hub(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251))
const sha256 = createHash('sha256').update(bytes).digest('hex')

/** Answers with the rest of the file, cut after so many bytes a request. */
function serving(cutAfter = Infinity): RequestListener {
  return (request, response) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': bytes.length - start })
    const end = Math.min(bytes.length, start + cutAfter)
    response.write(bytes.subarray(start, end))
    // `fetch` drops what it has not handed on when the connection ends.
    if (end < bytes.length) setTimeout(() => response.destroy(), 50)
    else response.end()
  }
}

describe('download()', () => {
  test('fetches a file, tells its progress and checks it', async () => {
    const path = join(folder, 'new/whole.bin')
    const seen: number[] = []
    await download(await hub(serving()), path, { sha256, bytes: bytes.length, onProgress: (done) => seen.push(done) })
    assert.deepEqual(await readFile(path), bytes)
    assert.equal(seen.at(-1), bytes.length)
    assert.equal(existsSync(`${path}.part`), false)
  })

  test('continues where it broke off', async () => {
    const path = join(folder, 'cut.bin')
    await download(await hub(serving(30_000)), path, { sha256, bytes: bytes.length })
    assert.deepEqual(await readFile(path), bytes)
  })

  test('begins again if the server does not continue', async () => {
    const path = join(folder, 'again.bin')
    await writeFile(`${path}.part`, 'something else')
    const url = await hub((_, response) => response.end(bytes))
    await download(url, path, { sha256, bytes: bytes.length })
    assert.deepEqual(await readFile(path), bytes)
  })

  test('keeps the part when it is aborted, and continues in the next call', async () => {
    const path = join(folder, 'aborted.bin')
    const controller = new AbortController()
    const url = await hub((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 40_000), () => setTimeout(() => controller.abort(), 20))
    })
    await assert.rejects(download(url, path, { bytes: bytes.length, signal: controller.signal }), {
      name: 'AbortError',
    })
    assert.ok((await stat(`${path}.part`)).size > 0)
    assert.equal(existsSync(path), false)
    await download(await hub(serving()), path, { sha256, bytes: bytes.length })
    assert.deepEqual(await readFile(path), bytes)
  })

  const failures: [name: string, listener: RequestListener, message: RegExp][] = [
    ['a file that is not there', (_, response) => response.writeHead(404).end(), /answered with status 404/],
    [
      'another file of the same size',
      (_, response) => response.end(Buffer.alloc(bytes.length)),
      /not the file that it should be/,
    ],
    [
      'a file that is longer',
      (_, response) => response.end(Buffer.concat([bytes, bytes])),
      /is longer than 100000 bytes/,
    ],
    ['a server that is silent', () => {}, /no answer within 50 ms/],
    [
      'a server that always cuts',
      (_, response) =>
        void response.writeHead(200, { 'content-length': bytes.length }).write('a', () => response.destroy()),
      /Cannot fetch/,
    ],
  ]
  for (const [name, listener, message] of failures) {
    test(`${name} is an error, and leaves no file`, async () => {
      const path = join(folder, `${createHash('md5').update(name).digest('hex')}.bin`)
      const options = { sha256, bytes: bytes.length, retries: 1, answerMs: 50 }
      await assert.rejects(download(await hub(listener), path, options), message)
      assert.equal(existsSync(path), false)
    })
  }

  test('a disk without room is told before', async () => {
    await assert.rejects(checkSpace(folder, 1e18), /Cannot fetch 1000000000000 MB into .*: \d+ MB are free/)
  })
})

describe('getModel()', () => {
  const model: ListedModel = {
    name: 'm',
    title: 'M',
    file: 'm.gguf',
    bytes: bytes.length,
    license: 'MIT',
    parameters: 1,
    sha256,
    sources: [
      { kind: 'hub', repository: 'a/gone', path: 'm.gguf' },
      { kind: 'hub', repository: 'a/b', path: 'm.gguf' },
    ],
  }

  test('tries the sources in turn, and fetches nothing twice', async () => {
    const asked: string[] = []
    const url = await hub((request, response) => {
      asked.push(request.url!)
      if (request.url!.includes('gone')) response.writeHead(404).end()
      else serving()(request, response)
    })
    const own = join(folder, 'own')
    const path = await getModel(model, { folder: own, hub: url })
    assert.deepEqual(await readFile(path), bytes)
    assert.deepEqual(asked, ['/a/gone/resolve/main/m.gguf', '/a/b/resolve/main/m.gguf'])
    await getModel(model, { folder: own, hub: url })
    assert.equal(asked.length, 2)
  })

  test('says why every source failed', async () => {
    const url = await hub((_, response) => response.writeHead(403).end())
    await assert.rejects(
      getModel(model, { folder: join(folder, 'none'), hub: url }),
      /Cannot fetch M\. .*a\/gone.*403.*a\/b.*403/,
    )
  })
})

test('zipMember() finds a member between others', async () => {
  const data = deflateRawSync('hello')
  const entries = ['first.txt', 'dir/second.txt'].map((name) => ({ name: Buffer.from(name), data }))
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name } of entries) {
    const header = Buffer.alloc(30)
    header.writeUInt32LE(0x04034b50)
    header.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(at, 42)
    parts.push(header, name, data)
    directory.push(entry, name)
    at += header.length + name.length + data.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(at, 16)
  const path = join(folder, 'a.zip')
  const file = Buffer.concat([...parts, ...directory, end])
  await writeFile(path, file)
  const { start, size } = await zipMember(path, 'dir/second.txt')
  assert.deepEqual(file.subarray(start, start + size), data)
  await assert.rejects(zipMember(path, 'third.txt'), /it has no third\.txt/)
  await writeFile(path, 'not a zip')
  await assert.rejects(zipMember(path, 'a'), /is not a ZIP file/)
})

/** A GGUF header with these pairs. */
function gguf(pairs: Record<string, string | number | string[]>): Buffer {
  const long = (value: number): Buffer => {
    const buffer = Buffer.alloc(8)
    buffer.writeBigUInt64LE(BigInt(value))
    return buffer
  }
  const int = (value: number): Buffer => {
    const buffer = Buffer.alloc(4)
    buffer.writeUInt32LE(value)
    return buffer
  }
  const text = (value: string): Buffer => Buffer.concat([long(Buffer.byteLength(value)), Buffer.from(value)])
  const valueOf = (value: string | number | string[]): Buffer => {
    if (typeof value === 'string') return Buffer.concat([int(8), text(value)])
    if (typeof value === 'number') return Buffer.concat([int(4), int(value)])
    return Buffer.concat([int(9), int(8), long(value.length), ...value.map(text)])
  }
  const entries = Object.entries(pairs).map(([key, value]) => Buffer.concat([text(key), valueOf(value)]))
  return Buffer.concat([Buffer.from('GGUF'), int(3), long(0), long(entries.length), ...entries])
}

const chat = gguf({
  'general.architecture': 'llama',
  'general.name': 'Chatty',
  'general.size_label': '1.5B',
  'general.license': 'mit',
  'tokenizer.ggml.tokens': ['a', 'b'],
  'llama.context_length': 2048,
  'tokenizer.chat_template': '{{ messages }}',
})

test('readGguf() reads the facts in a header, and nothing else', async () => {
  const path = join(folder, 'chat.gguf')
  await writeFile(path, chat)
  assert.deepEqual(await readGguf(path), {
    name: 'Chatty',
    architecture: 'llama',
    license: 'mit',
    window: 2048,
    parameters: 1500,
    canChat: true,
  })
  for (const [name, content] of Object.entries({
    text: '# Hello',
    empty: '',
    cut: chat.subarray(0, 60),
    liar: Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(20, 255)]),
  })) {
    await writeFile(path, content)
    assert.equal(await readGguf(path), undefined, name)
  }
  assert.equal(await readGguf(join(folder, 'nowhere.gguf')), undefined)
})

test('findModels() finds the models of other programs once each', async () => {
  const home = join(folder, 'home')
  const put = async (path: string, content: string | Buffer): Promise<string> => {
    const whole = join(home, path)
    await mkdir(dirname(whole), { recursive: true })
    await writeFile(whole, content)
    return whole
  }
  const named = (name: string): Buffer => gguf({ 'general.name': name, 'tokenizer.chat_template': 't' })
  await put('.ollama/models/blobs/sha256-1', named('ollama'))
  await put(
    '.ollama/models/manifests/registry.ollama.ai/library/llama3.2/1b',
    JSON.stringify({ layers: [{ mediaType: 'application/vnd.ollama.image.model', digest: 'sha256:1' }] }),
  )
  await put(
    '.ollama/models/blobs/sha256-2',
    JSON.stringify({ layers: [{ mediaType: 'application/vnd.ollama.image.model', digest: 'sha256:3' }] }),
  )
  await put('.ollama/models/blobs/sha256-3', named('ollama list'))
  await put(
    '.ollama/models/manifests/hf.co/me/mine/latest',
    JSON.stringify({
      manifests: [
        { runner: 'mlx', digest: 'sha256:9' },
        { runner: 'ollama', format: 'gguf', digest: 'sha256:2' },
      ],
    }),
  )
  await put('.ollama/models/manifests/registry.ollama.ai/library/broken/1b', '{nope')
  await put('.lmstudio/models/publisher/repository/a.gguf', named('lmstudio'))
  await put('.lmstudio/models/publisher/repository/mmproj-a.gguf', named('projector'))
  const blob = await put('.cache/huggingface/hub/models--org--repo/blobs/abc', named('hub'))
  await mkdir(join(home, '.cache/huggingface/hub/models--org--repo/snapshots/123'), { recursive: true })
  await symlink(blob, join(home, '.cache/huggingface/hub/models--org--repo/snapshots/123/b.gguf'))
  await put('.cache/llama.cpp/org_repo_c.gguf', named('llama.cpp'))
  await put('.cache/llama.cpp/base.gguf', gguf({ 'general.name': 'base' }))
  await put('.cache/llama.cpp/d-00001-of-00002.gguf', named('split'))
  await put('.cache/llama.cpp/d-00002-of-00002.gguf', named('split'))
  await put('.local/share/nomic.ai/GPT4All/e.gguf', named('gpt4all'))
  const own = dirname(await put('own/f.gguf', named('own')))
  await symlink(join(own, 'f.gguf'), join(home, '.cache/llama.cpp/f.gguf'))
  const found = await findModels({ home, env: {}, own })
  assert.deepEqual(
    found.map(({ name, from, id }) => `${from} ${id} ${name}`),
    [
      'own f own',
      'ollama me/mine:latest ollama list',
      'ollama llama3.2:1b ollama',
      'lmstudio publisher/repository/a.gguf lmstudio',
      'huggingface org/repo/b.gguf hub',
      'llama.cpp d-00001-of-00002 split',
      'llama.cpp org_repo_c llama.cpp',
      'gpt4all e gpt4all',
    ],
  )
})
