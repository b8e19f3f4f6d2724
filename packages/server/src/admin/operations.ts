import { groupings } from '../ledger/reports/usage.ts'
import { jsonContent, type Operations, type Parameter, ref } from '../openapi/operation.ts'
import { changed, created, rotated } from './key-routes.ts'
import { outcomes, type RequestsParameter, sources, type UsageParameter } from './usage-routes.ts'

const key = jsonContent(ref('Key'))

const filters = {
  since: { type: 'string', description: 'The beginning of the period: a time in RFC 3339, or a day.' },
  until: {
    type: 'string',
    description: 'The end of the period, which is not part of it: a time in RFC 3339, or a day.',
  },
  workspace: { type: 'string', description: 'Only requests of this workspace.' },
  key: { type: 'string', description: 'Only requests of the key with this name or id.' },
  model: { type: 'string', description: 'Only requests for this model.' },
  source: { enum: sources, description: 'Only requests of this kind.' },
} satisfies Record<string, Parameter>

/** The routes below `/admin`. */
export const adminOperations: Operations = {
  'GET /admin/keys': {
    summary: 'List keys',
    query: { workspace: { type: 'string', description: 'Only keys of this workspace.' } },
    response: jsonContent(ref('KeyList')),
  },
  'POST /admin/keys': {
    summary: 'Create a key',
    description: 'The response is the only one with its `secret`.',
    body: jsonContent(created),
    response: { ...key, status: 201 },
  },
  'GET /admin/keys/:id': { summary: 'Retrieve a key by its id or name', response: key },
  'POST /admin/keys/:id': {
    summary: 'Change a key',
    body: { ...jsonContent(changed), isRequired: false },
    response: key,
  },
  'POST /admin/keys/:id/revoke': { summary: 'Revoke a key', response: key },
  'POST /admin/keys/:id/rotate': {
    summary: 'Give a key a new secret',
    body: { ...jsonContent(rotated), isRequired: false },
    response: key,
  },
  'DELETE /admin/keys/:id': { summary: 'Remove a key', response: jsonContent(ref('KeyDeleted')) },
  'GET /admin/usage': {
    summary: 'Report usage and costs',
    query: {
      by: {
        type: 'string',
        default: 'day',
        description: `At most two of ${groupings.join(', ')}, separated by a comma.`,
      },
      tz: { type: 'string', default: 'UTC', description: 'The time zone of the days, such as `Europe/Paris`.' },
      reprice: {
        type: 'string',
        description: 'If given, the costs are also calculated by the prices of this version.',
      },
      ...filters,
    } satisfies Record<UsageParameter, Parameter>,
    response: jsonContent(ref('UsageReport')),
  },
  'GET /admin/requests': {
    summary: 'List requests of the ledger, newest first',
    query: {
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: 1_000,
        default: 20,
        description: 'The most requests of the page.',
      },
      before: { type: 'string', description: 'The `next` of the page before.' },
      outcome: { enum: outcomes, description: 'Only requests with this outcome.' },
      user: { type: 'string', description: 'Only requests of this user.' },
      conversation: { type: 'string', description: 'Only requests of this conversation.' },
      ...filters,
    } satisfies Record<RequestsParameter, Parameter>,
    response: jsonContent(ref('LedgerRequestPage')),
  },
  'GET /admin/requests/:id': {
    summary: 'Retrieve a request of the ledger',
    response: jsonContent(ref('LedgerRequest')),
  },
}
