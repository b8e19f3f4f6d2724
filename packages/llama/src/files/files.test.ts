import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateRawSync } from 'node:zlib'
import { gguf } from '../../../../test/gguf.ts'
import { listedModels, type ModelOffer } from './catalogue.ts'
import { checkSpace, download, type DownloadOptions } from './download.ts'
import { getModel } from './get-model.ts'
import { installRuntime, platformName } from './install-runtime.ts'
import { findOffer } from './model-offer.ts'
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

/** A chat model of 100,000 bytes. */
const bytes = Buffer.alloc(100_000, 'model')
gguf({ 'tokenizer.chat_template': '{{ messages }}' }).copy(bytes)
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
      response.write(bytes.subarray(0, 40_000))
    })
    const aborted = download(url, path, { bytes: bytes.length, signal: controller.signal })
    const rejected = assert.rejects(aborted, { name: 'AbortError' })
    while (((await stat(`${path}.part`).catch(() => undefined))?.size ?? 0) === 0) await sleep(5)
    controller.abort()
    await rejected
    assert.ok((await stat(`${path}.part`)).size > 0)
    assert.equal(existsSync(path), false)
    await download(await hub(serving()), path, { sha256, bytes: bytes.length })
    assert.deepEqual(await readFile(path), bytes)
  })

  test('begins again if the part is longer than the file, or of another file', async () => {
    for (const [name, size] of [
      ['longer', bytes.length + 1],
      ['other', 500],
    ] as const) {
      const path = join(folder, `${name}.bin`)
      await writeFile(`${path}.part`, Buffer.alloc(size))
      const url = await hub(({ headers: { range } }, response) => {
        if (range !== undefined) response.writeHead(416, { 'content-range': `bytes */${bytes.length}` })
        response.end(range === undefined ? bytes : '')
      })
      await download(url, path, { retries: 1 })
      assert.deepEqual(await readFile(path), bytes)
    }
  })

  test('leaves no part of a file that is longer than it should be', async () => {
    const path = join(folder, 'too-long.bin')
    const url = await hub((_, response) => response.end(Buffer.concat([bytes, bytes])))
    await assert.rejects(download(url, path, { bytes: bytes.length }), /is longer than/)
    assert.equal(existsSync(`${path}.part`), false)
  })

  test('continues after a server that stalls, and begins again after one that continues elsewhere', async () => {
    const path = join(folder, 'stalled.bin')
    const ranges: (string | undefined)[] = []
    const url = await hub((request, response) => {
      ranges.push(request.headers.range)
      if (ranges.length > 2) return serving()(request, response)
      if (ranges.length === 1) {
        response.writeHead(200, { 'content-length': bytes.length })
        return response.write(bytes.subarray(0, 40_000))
      }
      response.writeHead(206, { 'content-range': `bytes 10-${bytes.length - 1}/${bytes.length}` })
      return response.end(bytes.subarray(10))
    })
    await download(url, path, { sha256, bytes: bytes.length, stallMs: 100, retries: 1 })
    assert.deepEqual(await readFile(path), bytes)
    assert.deepEqual(ranges, [undefined, 'bytes=40000-', 'bytes=40000-'])
  })

  const failures: [name: string, listener: RequestListener, message: RegExp, limits?: DownloadOptions][] = [
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
    ['a server that is silent', () => {}, /no answer within 50 ms/, { answerMs: 50 }],
    [
      'a server that stalls at once',
      (_, response) => response.writeHead(200, { 'content-length': bytes.length }).flushHeaders(),
      /nothing came within 60 ms/,
      { stallMs: 60 },
    ],
    [
      'a server that always cuts',
      (_, response) =>
        void response.writeHead(200, { 'content-length': bytes.length }).write('a', () => response.destroy()),
      /Cannot fetch/,
    ],
  ]
  for (const [name, listener, message, limits] of failures) {
    test(`${name} is an error, and leaves no file`, async () => {
      const path = join(folder, `${createHash('md5').update(name).digest('hex')}.bin`)
      const options = { sha256, bytes: bytes.length, retries: 1, answerMs: 60_000, stallMs: 60_000, ...limits }
      await assert.rejects(download(await hub(listener), path, options), message)
      assert.equal(existsSync(path), false)
    })
  }

  test('a page in place of the file is told, and no part of it is kept', async () => {
    const path = join(folder, 'page.bin')
    const page: RequestListener = (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>')
    const url = await hub(page)
    await assert.rejects(download(url, path, { sha256, bytes: bytes.length }), {
      name: 'DownloadError',
      message: `Cannot fetch ${url}: the server answered with a page, as a proxy does or a network that wants a sign-in.`,
    })
    assert.equal(existsSync(`${path}.part`), false)
    await assert.rejects(findOffer('hf:a/b', { hub: url }), /answered with a page/)
  })

  test('a disk without room is told before', async () => {
    await assert.rejects(checkSpace(folder, 1e18), /Cannot fetch 1000000000000 MB into .*: \d+ MB are free/)
  })
})

describe('getModel()', () => {
  const model: ModelOffer = {
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

  test('ends each of the reasons with a period', async () => {
    const gone = createServer()
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
    const { port } = gone.address() as AddressInfo
    await new Promise((resolve) => gone.close(resolve))
    await assert.rejects(
      getModel(model, { folder: join(folder, 'none'), hub: `http://127.0.0.1:${port}` }),
      /Cannot fetch M\. Cannot fetch \S+: ECONNREFUSED\. Cannot fetch \S+: ECONNREFUSED\.$/,
    )
  })

  test('tells what a proxy answered, whose error has a number as code', async () => {
    const refusal = Object.assign(new Error('Proxy response (407)'), { code: 0 })
    const fetch = (): Promise<never> => Promise.reject(new TypeError('fetch failed', { cause: refusal }))
    const path = join(folder, 'refused')
    await assert.rejects(download('https://a.test/m', path, { fetch, retries: 0 }), /: Proxy response \(407\)$/)
  })

  test('tries no other source when the disk is full', { skip: process.platform !== 'linux' }, async () => {
    let requests = 0
    const url = await hub((request, response) => {
      requests++
      serving()(request, response)
    })
    const full = join(folder, 'full')
    await mkdir(full)
    await symlink('/dev/full', join(full, 'm.gguf.part'))
    await assert.rejects(getModel(model, { folder: full, hub: url }), {
      message: `Cannot fetch M: there is no space left for ${full}.`,
    })
    assert.equal(requests, 1)
  })
})

describe('findOffer()', () => {
  const commit = 'c0ffee'
  const siblings = [
    { rfilename: 'README.md', size: 10 },
    { rfilename: 'mmproj-b-q4_k_m.gguf', size: 11 },
    { rfilename: 'b-q8_0.gguf', size: 30, lfs: { sha256: '8'.repeat(64), size: 300 } },
    { rfilename: 'b-Q4_K_M.gguf', size: 20, lfs: { sha256, size: bytes.length } },
    { rfilename: 'big-fp16-00001-of-00002.gguf', size: 40 },
  ]
  /** A hub with one repository, which sends its files cut in pieces. */
  const start = (): Promise<string> =>
    hub((request, response) => {
      if (request.url === '/api/models/a/b?blobs=true')
        response.end(JSON.stringify({ sha: commit, cardData: { license: 'apache-2.0' }, siblings }))
      else if (request.url === `/a/b/resolve/${commit}/b-Q4_K_M.gguf`) serving(40_000)(request, response)
      else response.writeHead(404).end()
    })

  test('finds the file, size, licence and checksum of a name at the hub, and getModel() fetches it', async () => {
    const options = { hub: await start() }
    const offer = await findOffer('hf:a/b', options)
    assert.deepEqual(
      [offer?.title, offer?.file, offer?.bytes, offer?.license, offer?.sha256],
      ['b-Q4_K_M', 'a_b_b-Q4_K_M.gguf', bytes.length, 'apache-2.0', sha256],
    )
    const path = await getModel(offer!, { ...options, folder: join(folder, 'hub') })
    assert.deepEqual(await readFile(path), bytes)
    assert.equal((await findOffer('hf:a/b:q8_0', options))?.bytes, 300)
    assert.equal((await findOffer('hf:a/b/b-q8_0.gguf', options))?.bytes, 300)
  })

  test('says what is wrong with a name', async () => {
    const options = { hub: await start() }
    await assert.rejects(findOffer('hf:a/b:q2_k', options), /its GGUF files are b-q8_0\.gguf, b-Q4_K_M\.gguf, big/)
    await assert.rejects(findOffer('hf:a/b:fp16', options), /one of several pieces/)
    await assert.rejects(findOffer('hf:a/gone', options), /a\/gone\?blobs=true: the server answered with status 404/)
    assert.equal(await findOffer('nonsense', options), undefined)
    assert.equal((await findOffer('smollm2', options))?.bytes, 98_362_432)
  })

  test('says that a model which the hub keeps closed needs a key, or that the key may not read it', async () => {
    const keys: (string | undefined)[] = []
    const url = await hub(({ headers }, response) => {
      keys.push(headers.authorization)
      response.writeHead(headers.authorization === undefined ? 401 : 403).end()
    })
    const file = `${url}/a/closed/resolve/main/c.gguf`
    for (const name of ['hf:a/closed', file]) {
      const [without, withKey] = [
        { hub: url, token: '' },
        { hub: url, token: 'k' },
      ]
      const terms = `accept its terms at ${url}/a/closed`
      await assert.rejects(findOffer(name, without), (error: Error) =>
        error.message.endsWith(
          `status 401. There is no such model, or it is not open to everyone: ${terms}, and set HF_TOKEN to a key of yours.`,
        ),
      )
      await assert.rejects(findOffer(name, withKey), (error: Error) =>
        error.message.endsWith(`status 403. The key in HF_TOKEN may not read the model: ${terms}.`),
      )
    }
    assert.deepEqual(keys, [undefined, 'Bearer k', undefined, 'Bearer k'])
    const sources = [{ kind: 'hub', repository: 'a/closed', path: 'c.gguf' }] as const
    const offer = { ...listedModels[0]!, file: 'c.gguf', sources: [...sources] }
    const fetching = getModel(offer, { folder: join(folder, 'closed'), hub: url, token: '' })
    await assert.rejects(fetching, /status 401\. There is no such model, .*\/a\/closed, and set HF_TOKEN/)
    await assert.rejects(findOffer(file, { token: 'k' }), /status 401\.$/)
  })

  test('reads the size of a file at an address', async () => {
    const url = await hub(serving())
    const offer = await findOffer(`${url}/path/c.gguf?download=true`)
    assert.deepEqual([offer?.file, offer?.bytes, offer?.sha256], ['c.gguf', bytes.length, undefined])
    await assert.rejects(findOffer(`${url}/page.html`), /its name does not end in \.gguf/)
  })

  test('getModel() removes a file that is not a chat model', async () => {
    const base = gguf({ 'general.name': 'base' })
    for (const [name, content, message] of [
      ['page', Buffer.from('<html>'), /Cannot use page\.gguf: it is not a GGUF file\. It was removed\./],
      ['base', base, /Cannot use base\.gguf: it is a base model without a chat template/],
    ] as const) {
      const url = await hub((_, response) => response.end(content))
      const offer = await findOffer(`${url}/${name}.gguf`)
      await assert.rejects(getModel(offer!, { folder: join(folder, 'bad') }), message)
      assert.equal(existsSync(join(folder, 'bad', `${name}.gguf`)), false)
    }
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

test('platformName() tells musl from glibc, which the binaries need', () => {
  assert.equal(platformName('linux', 'x64', '2.36'), 'linux-x64')
  assert.equal(platformName('linux', 'x64', undefined), 'linux-x64-musl')
  assert.equal(platformName('win32', 'arm64', undefined), 'win32-arm64')
  assert.equal(platformName('darwin', 'arm64', undefined), 'darwin-arm64')
})

test(
  'installRuntime() repeats why npm failed, and leaves nothing',
  { skip: process.platform === 'win32' },
  async (t) => {
    const bin = await mkdtemp(join(folder, 'bin-'))
    const lines = ['npm error code CERT', 'npm error errno CERT', 'npm error the certificate is not trusted']
    await writeFile(join(bin, 'npm'), `#!/bin/sh\nprintf '${lines.join('\\n')}\\n' >&2\nexit 1\n`)
    await chmod(join(bin, 'npm'), 0o755)
    const path = process.env['PATH']
    process.env['PATH'] = `${bin}:${path}`
    t.after(() => (process.env['PATH'] = path))
    const message = 'Cannot install node-llama-cpp: the certificate is not trusted'
    await assert.rejects(installRuntime(join(bin, 'runtime')), { message })
    assert.deepEqual(await readdir(bin), ['npm'])
  },
)
