import { jsonContent, type Operations, pageQuery, ref } from '../openapi/operation.ts'
import { countTokensParams, createParams } from './validate/params.ts'
import { shapeOf } from './validate/shape.ts'

/** The routes of messages and models. */
export const messageOperations: Operations = {
  'POST /v1/messages': {
    summary: 'Create a message',
    description:
      'With `stream: true` the response is a stream of events. `thread` keeps the conversation on the server.',
    body: jsonContent(shapeOf(createParams)),
    response: {
      description: 'The message, or its events',
      content: { 'application/json': ref('Message'), 'text/event-stream': { type: 'string' } },
    },
    hasApiHeaders: true,
  },
  'POST /v1/messages/count_tokens': {
    summary: 'Count the tokens of a message',
    body: jsonContent(shapeOf(countTokensParams)),
    response: jsonContent(ref('MessageTokensCount')),
    hasApiHeaders: true,
  },
  'GET /v1/models': {
    summary: 'List models',
    query: {
      ...pageQuery,
      'lifecycle[]': {
        type: 'array',
        items: { enum: ['active', 'deprecated', 'retired'] },
        description: 'The lifecycles to list. Default: active and deprecated.',
      },
    },
    response: jsonContent(ref('ModelPage')),
    hasApiHeaders: true,
  },
  'GET /v1/models/:id': {
    summary: 'Retrieve a model',
    response: jsonContent(ref('Model')),
    hasApiHeaders: true,
  },
}
