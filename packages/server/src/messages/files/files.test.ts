import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Official, { toFile } from '@anthropic-ai/sdk'
import { type Engine, type EngineContext, offline } from 'colloquy/engines'
import type { MessageCreateParams } from 'colloquy/protocol'
import { databasePlaces } from '../../../../../test/databases.ts'
import { openAccess } from '../../access/open-access.ts'
import { createServer, type Server } from '../../app.ts'
import type { Database } from '../../state/database.ts'
import { migrations } from '../../state/migrations.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-files-'))
after(() => rmSync(folder, { recursive: true }))

// A transparent pixel.
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const model = 'claude-sonnet-4-6'

for (const [name, makePlace] of Object.entries(databasePlaces())) {
  describe(`files on ${name}`, () => {
    const open = (): Database => makePlace(folder)(migrations)

    test('the official client uploads, lists, reads and deletes files', async (t) => {
      const { client } = await serve(t, open())
      const { files } = client('k')
      const bytes = randomBytes(1_000_000)
      const file = await files.upload({ file: await toFile(bytes, 'böök.bin', { type: 'application/x-book' }) })
      const { id, created_at, ...rest } = file
      assert.match(id, /^file_01/)
      assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
      assert.deepEqual(rest, {
        type: 'file',
        filename: 'böök.bin',
        mime_type: 'application/x-book',
        size_bytes: 1_000_000,
        downloadable: true,
        expires_at: null,
      })
      const content = Buffer.from(await (await files.download(id)).arrayBuffer())
      assert.equal(createHash('sha1').update(content).digest('hex'), createHash('sha1').update(bytes).digest('hex'))
      const ids = [id]
      for (const text of ['a', 'b']) {
        await sleep(2)
        ids.unshift((await files.upload({ file: await toFile(Buffer.from(text), 'a.txt') })).id)
      }
      const listed: string[] = []
      for await (const { id: each } of files.list({ limit: 2 })) listed.push(each)
      assert.deepEqual(listed, ids)
      const page = async (query: object): Promise<string[]> =>
        (await client('k').get<{ data: { id: string }[] }>('/v1/files', { query: { limit: 1, ...query } })).data.map(
          (each) => each.id,
        )
      // Older clients name the last id that they have. A file that was deleted keeps its place.
      await files.delete(ids[1]!)
      assert.deepEqual(await page({ after_id: ids[0] }), [id])
      assert.deepEqual(await page({ page: ids[1] }), [id])
      assert.deepEqual(await page({ before_id: ids[1] }), [ids[0]])
      assert.deepEqual(await page({ after_id: id }), [])
      assert.deepEqual(await files.delete(id), { id, type: 'file_deleted' })
      await assert.rejects(files.retrieveMetadata(id), { status: 404, message: /File not found: file_01/ })
    })

    test('a name with a quotation mark is refused, however it is written', async (t) => {
      const { client } = await serve(t, open())
      for (const name of ['a\\"b.txt', 'a"b.txt', 'a%22b.txt']) {
        const head = `--B\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n`
        const sent = client('k').post('/v1/files', {
          headers: { 'content-type': 'multipart/form-data; boundary=B' },
          body: new TextEncoder().encode(`${head}hi\r\n--B--\r\n`),
        })
        await assert.rejects(sent, { status: 400, message: /file: the filename must have at most 255 characters/ })
      }
    })

    test('a message names files, which the engine receives', async (t) => {
      const seen: MessageCreateParams[] = []
      const { client, secret } = await serve(t, open(), { seen })
      const { files, messages } = client('k')
      const image = await files.upload({
        file: await toFile(Buffer.from(png, 'base64'), 'a.png', { type: 'image/png' }),
      })
      const note = await files.upload({ file: await toFile(Buffer.from('Grüße'), 'a.txt', { type: 'text/plain' }) })
      const content: Official.ContentBlockParam[] = [
        { type: 'image', source: { type: 'file', file_id: image.id } },
        { type: 'document', title: 'Note', source: { type: 'file', file_id: note.id } },
        { type: 'text', text: 'What is this?' },
      ]
      const ask = { model, max_tokens: 50, messages: [{ role: 'user' as const, content }] }
      await messages.create(ask)
      assert.deepEqual(seen[0]!.messages[0]!.content, [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
        { type: 'document', title: 'Note', source: { type: 'text', media_type: 'text/plain', data: 'Grüße' } },
        { type: 'text', text: 'What is this?' },
      ])
      const inline = seen[0]!.messages as Official.MessageParam[]
      const [counted, expected] = await Promise.all(
        [ask.messages, inline].map((each) => messages.countTokens({ model, messages: each })),
      )
      assert.deepEqual(counted, expected)
      const wrong = [
        { role: 'user' as const, content: [{ ...content[0]!, source: { type: 'file', file_id: note.id } }] },
      ]
      await assert.rejects(messages.create({ ...ask, messages: wrong as never }), {
        status: 400,
        message: /text\/plain/,
      })
      const eve = client(secret)
      await assert.rejects(eve.messages.create(ask), { status: 404, message: /File not found/ })
      await assert.rejects(eve.files.download(image.id), { status: 404 })
      await assert.rejects(eve.files.delete(image.id), { status: 404 })
    })

    test('uploads that arrive slowly hold up no others', async (t) => {
      const { client, server } = await serve(t, open())
      const opened: ReadableStreamDefaultController[] = []
      const slow = Array.from({ length: 10 }, () => {
        const body = new ReadableStream({ start: (controller) => void opened.push(controller) })
        const headers = { 'x-api-key': 'k', 'content-type': 'multipart/form-data; boundary=b' }
        return server.fetch('http://colloquy.test/v1/files', {
          method: 'POST',
          headers,
          body,
          duplex: 'half',
        } as RequestInit)
      })
      assert.equal((await client('k').files.upload({ file: await toFile(Buffer.from('x'), 'x.txt') })).size_bytes, 1)
      for (const controller of opened) controller.close()
      for (const response of await Promise.all(slow)) assert.equal(response.status, 400)
    })

    test('files have limits of size, number and time', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const limits = { maxBytes: 1_000, maxFiles: 2 }
      const { client, database } = await serve(t, open(), { limits, now: () => now })
      const { files } = client('k')
      const upload = async (bytes: number, more = {}): Promise<Official.Files.FileMetadata> =>
        files.upload({ file: await toFile(Buffer.alloc(bytes, 'x'), 'x.txt'), ...more })
      await assert.rejects(upload(1_001), { status: 413 })
      await assert.rejects(upload(200_000), { status: 413 })
      await assert.rejects(upload(10, { expires_in_seconds: 60 }), { status: 400, message: /expires_in_seconds/ })
      const { id } = await upload(10, { expires_in_seconds: 3_600 })
      const second = await upload(10)
      await assert.rejects(upload(10), { status: 400, message: /storage_quota_exceeded/ })
      await files.delete(second.id)
      const together = await Promise.allSettled([upload(10), upload(10), upload(10)])
      assert.ok(together.filter(({ status }) => status === 'fulfilled').length <= 1)
      assert.equal((await database.rows('read', 'SELECT id FROM %.file')).length, (await files.list()).data.length)
      for (const each of (await files.list()).data) if (each.id !== id) await files.delete(each.id)
      await upload(10)
      now += 3_600_000
      await assert.rejects(files.download(id), { status: 404, message: /file_expired/ })
      assert.equal((await files.list()).data.length, 1)
      now += 2 * 86_400_000
      await upload(10)
      assert.deepEqual(await database.rows('read', 'SELECT id FROM %.file WHERE id = :id', { id }), [])
    })
  })
}

interface Served {
  server: Server
  client: (apiKey: string) => Official
  /** A key of another workspace. */
  secret: string
  database: Database
}

async function serve(
  t: { after: (work: () => Promise<void>) => void },
  database: Database,
  { seen = [], limits, now = Date.now }: { seen?: MessageCreateParams[]; limits?: object; now?: () => number } = {},
): Promise<Served> {
  const store = { database, close: () => database.close() }
  const access = await openAccess({ store, keys: ['k'] })
  const { secret } = await access.keys.create({ name: 'eve', workspace: 'other' })
  const reply = offline()
  async function* engine(params: MessageCreateParams, context?: EngineContext): ReturnType<Engine> {
    seen.push(params)
    yield* reply(params, context)
  }
  const server = createServer({
    engine,
    access,
    store,
    now,
    batches: { concurrency: 0 },
    ...(limits && { files: limits }),
  })
  t.after(async () => {
    await access.close()
    await database.close()
  })
  const client = (apiKey: string): Official =>
    new Official({ fetch: server.fetch, baseURL: 'http://colloquy.test', apiKey, maxRetries: 0 })
  return { client, server, secret, database }
}
