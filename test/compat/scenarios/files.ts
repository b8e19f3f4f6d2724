import { createReadStream } from 'node:fs'
import { failure, hello, json, message } from '../fixtures.ts'
import { ownError, type Context, type Difference, type Scenario } from '../scenario.ts'

const metadata = {
  id: 'file_1',
  type: 'file',
  filename: 'a.txt',
  mime_type: 'text/plain',
  size_bytes: 5,
  created_at: '2026-11-01T00:00:00Z',
}
const uploaded = json(metadata)
const bytes = new TextEncoder().encode('Hello')

/** Files: upload, look up, read, delete, and their ids in messages. */
export const files: Scenario[] = [
  uploads('a File', async () => new File(['Hello'], 'a.txt', { type: 'text/plain', lastModified: 1 })),
  uploads('a File whose name has folders and quotes', async () => new File(['Hello'], 'a/b "c" é.txt')),
  uploads('a Blob', async () => new Blob(['Hello'], { type: 'text/markdown' })),
  uploads('bytes through toFile()', ({ toFile }) => toFile(bytes, 'b.bin')),
  uploads('an ArrayBuffer through toFile()', ({ toFile }) => toFile(bytes.buffer, 'b.bin', { type: 'image/png' })),
  uploads('text through toFile()', ({ toFile }) => toFile('Hello' as never, 'c.md', { type: 'text/markdown' })),
  uploads('a Blob through toFile()', ({ toFile }) => toFile(new Blob(['x'], { type: 'text/csv' }), 'd.csv'), [
    { name: 'file-types', at: 'requests.0.body', official: /application.octet-stream/, ours: /text.csv/ },
  ]),
  uploads('a promise through toFile()', ({ toFile }) => toFile(Promise.resolve(bytes), 'e.txt')),
  uploads('another name through toFile()', ({ toFile }) => toFile(new File(['x'], 'a.txt', { type: 'a/b' }), 'f.txt')),
  uploads('a stream of a file', async () => createReadStream(import.meta.filename, { end: 9 })),
  uploads('a stream of a file through toFile()', ({ toFile }) =>
    toFile(createReadStream(import.meta.filename, { end: 9 })),
  ),
  uploads('a Response', async () => named(new Response('Hello', { headers: { 'content-type': 'text/html' } }))),
  uploads('a Response through toFile()', ({ toFile }) => toFile(named(new Response('Hello'))), [
    { name: 'file-types', at: 'requests.0.body', official: /application.octet-stream/, ours: /text.plain/ },
  ]),
  uploads('a generator', async () =>
    (async function* () {
      yield bytes
      yield bytes
    })(),
  ),
  {
    name: 'upload() with an end, betas, a workspace and a header',
    replies: [uploaded],
    run: ({ client }) =>
      client.beta.files.upload(
        { file: new File(['x'], 'a'), expires_in_seconds: 60, betas: ['files-api-2025-04-14'], workspace_id: 'ws' },
        { headers: { 'x-own': '1' } },
      ),
  },
  {
    name: 'upload() of client.files',
    replies: [uploaded],
    run: ({ client }) => client.files.upload({ file: new File(['x'], 'a') }),
  },
  {
    name: 'upload() is tried again',
    replies: [failure(529, 'overloaded_error', 'Overloaded', { headers: { 'retry-after-ms': '1' } }), uploaded],
    run: ({ client }) => client.beta.files.upload({ file: new File(['Hello'], 'a.txt') }),
  },
  {
    name: 'upload() that is refused',
    replies: [failure(413, 'request_too_large', 'Too large')],
    run: ({ client }) => client.beta.files.upload({ file: new File(['Hello'], 'a.txt') }),
  },
  {
    name: 'upload() of bytes without a name',
    run: ({ client }) => client.beta.files.upload({ file: bytes as never }),
    differs: [{ name: 'own-errors', at: 'threw.message', official: /^Received /, ours: /^Cannot send file in a form/ }],
  },
  {
    name: 'upload() of null',
    run: ({ client }) => client.beta.files.upload({ file: null as never }),
    differs: [{ name: 'own-errors', at: 'threw.message', official: /^Received /, ours: /^Cannot send file in a form/ }],
  },
  {
    name: 'toFile() of a number',
    run: ({ Anthropic }) => Anthropic.toFile(5 as never, 'a'),
    differs: [ownError('threw', { classes: 'Error' })],
  },
  {
    name: 'retrieveMetadata() and delete()',
    replies: [uploaded, json({ id: 'file_1', type: 'file_deleted' })],
    run: async ({ client }) => [
      await client.beta.files.retrieveMetadata('file_1', { betas: ['x-1'] }),
      await client.beta.files.delete('file_1', { workspace_id: 'ws' }, { headers: { 'x-own': '1' } }),
    ],
  },
  {
    name: 'retrieveMetadata() with an id that leads elsewhere',
    replies: [uploaded],
    run: ({ client }) => client.beta.files.retrieveMetadata('a/../b c'),
  },
  {
    name: 'list() page by page',
    replies: [
      json({ data: [metadata, { ...metadata, id: 'file_2' }], next_page: 'page_2' }),
      json({ data: [], next_page: 'page_3' }),
      json({ data: [{ ...metadata, id: 'file_3' }], next_page: null }),
    ],
    run: async ({ client }) => {
      const ids: string[] = []
      for await (const { id } of client.beta.files.list({ limit: 2, ids: ['file_1', 'file_2'] })) ids.push(id)
      return ids
    },
  },
  {
    name: 'list() and its pages',
    replies: [json({ data: [metadata], next_page: 'page_2' }), json({ data: [metadata], next_page: null })],
    run: async ({ client }) => {
      const page = await client.beta.files.list()
      const next = await page.getNextPage()
      return [page.hasNextPage(), page.next_page, next.hasNextPage(), next.next_page, next.data.length]
    },
  },
  {
    name: 'download()',
    replies: [{ headers: { 'content-type': 'application/octet-stream', 'request-id': 'req_1' }, body: [bytes] }],
    run: async ({ client }) => {
      const response = await client.beta.files.download('file_1', { betas: ['x-1'] })
      return [response.status, response.headers.get('content-type'), await response.text()]
    },
  },
  {
    name: 'download() that is refused',
    replies: [failure(404, 'not_found_error', 'No such file')],
    run: ({ client }) => client.beta.files.download('file_1'),
  },
  {
    name: 'file ids in a message',
    replies: [json(message())],
    run: async ({ client }) =>
      (
        await client.beta.messages.create({
          ...hello,
          betas: ['files-api-2025-04-14'],
          messages: [
            {
              role: 'user',
              content: [
                { type: 'document', source: { type: 'file', file_id: 'file_1' } },
                { type: 'image', source: { type: 'file', file_id: 'file_2' } },
                { type: 'container_upload', file_id: 'file_3' },
              ],
            },
          ],
        })
      ).id,
  },
]

function uploads(
  name: string,
  make: (anthropic: Context['Anthropic']) => Promise<unknown>,
  differs: readonly Difference[] = [],
): Scenario {
  return {
    differs,
    name: `upload() of ${name}`,
    replies: [uploaded],
    run: async ({ client, Anthropic }) => client.beta.files.upload({ file: (await make(Anthropic)) as File }),
  }
}

function named(response: Response): Response {
  return Object.defineProperty(response, 'url', { value: 'https://example.test/files/page.html?x=1' })
}
