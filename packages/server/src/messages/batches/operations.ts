import { jsonContent, type Operations, pageQuery, ref } from '../../openapi/operation.ts'
import { shapeOf } from '../validate/shape.ts'
import { envelope } from './envelope.ts'

const batch = jsonContent(ref('MessageBatch'))

/** The routes of batches. */
export const batchOperations: Operations = {
  'POST /v1/messages/batches': {
    summary: 'Create a batch',
    description: 'The `params` of each request are checked when it is run: a wrong one is an error of its result.',
    body: jsonContent(shapeOf(envelope)),
    response: batch,
    hasApiHeaders: true,
  },
  'GET /v1/messages/batches': {
    summary: 'List batches',
    query: pageQuery,
    response: jsonContent(ref('MessageBatchPage')),
  },
  'GET /v1/messages/batches/:id': { summary: 'Retrieve a batch', response: batch },
  'DELETE /v1/messages/batches/:id': {
    summary: 'Delete a batch that has ended',
    response: jsonContent(ref('MessageBatchDeleted')),
  },
  'POST /v1/messages/batches/:id/cancel': { summary: 'Cancel a batch', response: batch },
  'GET /v1/messages/batches/:id/results': {
    summary: 'Read the results of a batch',
    response: { description: 'One result a line', content: { 'application/x-jsonl': ref('MessageBatchResult') } },
  },
}
