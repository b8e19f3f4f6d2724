import { jsonContent, type Operations, pageQuery, ref } from '../../openapi/operation.ts'
import { leastSeconds, mostSeconds } from './upload.ts'

const file = jsonContent(ref('File'))

/** The routes of files. */
export const fileOperations: Operations = {
  'POST /v1/files': {
    summary: 'Upload a file',
    body: {
      content: {
        'multipart/form-data': {
          type: 'object',
          properties: {
            file: { type: 'string', contentMediaType: 'application/octet-stream' },
            expires_in_seconds: { type: 'integer', minimum: leastSeconds, maximum: mostSeconds },
          },
          required: ['file'],
        },
      },
    },
    response: file,
  },
  'GET /v1/files': {
    summary: 'List files',
    query: {
      ...pageQuery,
      page: { type: 'string', description: 'The `next_page` of the page before.' },
      'ids[]': { type: 'array', items: { type: 'string' }, maxItems: 100, description: 'Only files with these ids.' },
    },
    response: jsonContent(ref('FilePage')),
  },
  'GET /v1/files/:id': { summary: 'Retrieve a file', response: file },
  'GET /v1/files/:id/content': {
    summary: 'Download a file',
    response: { description: 'The bytes of the file, in its own type', content: { '*/*': { type: 'string' } } },
  },
  'DELETE /v1/files/:id': { summary: 'Delete a file', response: jsonContent(ref('FileDeleted')) },
}
