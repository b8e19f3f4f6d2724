import type { JsonSchema } from 'colloquy/protocol'
import { namedShapes } from '../messages/validate/shape.ts'
import type { Content, Operation, Operations } from './operation.ts'
import { jsonContent, ref } from './operation.ts'
import { responseSchemas } from './responses.ts'

/** The description of a server: an OpenAPI 3.1 document. */
export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description: string }
  paths: Record<string, Record<string, object>>
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, object> }
  security: object[]
}

const description = `The Claude Messages API as this server answers it, with its own routes for keys, usage and conversations.
The schemas of request bodies are those by which the server checks them. A property with \`x-beta\` needs one of these values in
the header \`anthropic-beta\`; one with \`x-until-version\` exists up to this \`anthropic-version\`.`

const securitySchemes = {
  apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
  bearer: { type: 'http', scheme: 'bearer' },
}

/** Describes a server with these routes. */
export function openApiDocument(operations: Operations): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {}
  for (const [route, operation] of Object.entries(operations)) {
    const [method, path] = route.split(' ') as [string, string]
    const described = path.replaceAll(/:(\w+)/g, '{$1}')
    paths[described] = { ...paths[described], [method.toLowerCase()]: operationObject(route, operation) }
  }
  const schemas = sorted({ ...responseSchemas, ...namedShapes() })
  return {
    openapi: '3.1.0',
    info: { title: 'Colloquy', version: '1', description },
    paths: sorted(paths),
    components: { schemas, securitySchemes },
    security: [{ apiKey: [] }, { bearer: [] }],
  }
}

function sorted<T>(entries: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function operationObject(route: string, operation: Operation): object {
  const { summary, description: about, body, response, isOpen = false } = operation
  const parameters = parametersOf(route, operation)
  return {
    operationId: idOf(route),
    tags: [tagOf(route)],
    summary,
    ...(about !== undefined && { description: about }),
    ...(isOpen && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: body.isRequired ?? true, content: contentObject(body) } }),
    responses: {
      [response.status ?? 200]: { description: response.description ?? 'Success', content: contentObject(response) },
      default: { description: 'An error', content: contentObject(jsonContent(ref('Error'))) },
    },
  }
}

function contentObject({ content }: Content): object {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]))
}

function parametersOf(route: string, { query = {}, hasApiHeaders = false }: Operation): object[] {
  const inPath = [...route.matchAll(/:(\w+)/g)].map(([, name]) => {
    return { in: 'path', name, required: true, schema: { type: 'string' } }
  })
  const inQuery = Object.entries(query).map(([name, { description: about, ...schema }]) => {
    return { in: 'query', name, description: about, schema }
  })
  return [...inPath, ...inQuery, ...(hasApiHeaders ? apiHeaders : [])]
}

const apiHeaders = [
  {
    in: 'header',
    name: 'anthropic-version',
    required: true,
    schema: { enum: ['2023-06-01', '2026-10-21'] },
  },
  { in: 'header', name: 'anthropic-beta', description: 'Values separated by commas.', schema: { type: 'string' } },
]

/** The group of a route: the first part of its path that tells routes apart. */
function tagOf(route: string): string {
  const [first = '', second = '', third = ''] = route.split(' ')[1]!.split('/').slice(1)
  if (first === 'v1') return third === 'batches' ? 'batches' : second
  return ['api', 'admin'].includes(first) ? `${first === 'api' ? '' : 'admin '}${second}`.trim() : 'operation'
}

/** A name for generators of clients: `get_v1_models_id`. */
function idOf(route: string): string {
  return route
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replace(/_$/, '')
}
