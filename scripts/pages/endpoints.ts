import { conversationOperations } from '../../packages/server/src/conversations/operations.ts'
import { describeServer } from '../../packages/server/src/openapi/describe-server.ts'
import type { OpenApiDocument } from '../../packages/server/src/openapi/document.ts'
import { type Shape, code, kindOf, sentence, table, writtenBy } from './markdown.ts'

interface Described {
  method: string
  path: string
  tags: string[]
  summary: string
  description?: string
  security?: object[]
  parameters?: { in: string; name: string; description?: string; schema: Shape }[]
  requestBody?: { required: boolean; content: Record<string, { schema: Shape }> }
  responses: Record<string, { description: string; content: Record<string, { schema: Shape }> }>
}

/** The OpenAPI document of a server with every route. */
async function wholeServer(): Promise<OpenApiDocument> {
  const route = { operations: conversationOperations } as never
  return await describeServer(
    { access: {} as never, metrics: {} as never, routes: [route] },
    { batches: true, files: true },
  )
}

/** The page of all endpoints, from the document that `GET /openapi.json` gives. */
export async function endpointsPage(): Promise<string> {
  const document = await wholeServer()
  const all = operationsOf(document)
  const tags = [...new Set(all.flatMap((each) => each.tags))]
  return [
    writtenBy('the OpenAPI document of the server'),
    '# Endpoints\n',
    'All routes that a server can have; its options decide which of them it has. `GET /openapi.json` describes those of a server in',
    'OpenAPI 3.1, with the schemas that this page only names. For the sessions of the console, see [conversations over',
    'HTTP](conversations-api.md#on-this-machine). Errors are `{"type": "error", "error": {"type", "message"}}` everywhere: see [errors](errors.md).\n',
    ...tags.flatMap((tag) =>
      sectionOf(
        tag,
        all.filter((each) => each.tags.includes(tag)),
        document,
      ),
    ),
  ].join('\n')
}

function operationsOf({ paths }: OpenApiDocument): Described[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      return { ...(operation as Omit<Described, 'method' | 'path'>), method: method.toUpperCase(), path }
    }),
  )
}

/** Headings of groups whose tag is not one. */
const titles: Readonly<Record<string, string>> = {
  operation: 'Watching',
  'admin keys': 'Keys',
  'admin usage': 'Usage',
  'admin requests': 'Requests',
}

function sectionOf(tag: string, operations: readonly Described[], document: OpenApiDocument): string[] {
  return [
    `## ${titles[tag] ?? tag.replace(/^./, (letter) => letter.toUpperCase())}\n`,
    ...operations.flatMap((each) => detailsOf(each, document)),
  ]
}

function detailsOf(operation: Described, document: OpenApiDocument): string[] {
  const { method, path, summary, description, security, parameters = [], requestBody, responses } = operation
  const [status, { content }] = Object.entries(responses)[0]!
  const query = parameters.filter((each) => each.in === 'query')
  const about = [sentence(summary), description ?? '', security?.length === 0 ? 'Needs no key.' : ''].filter(Boolean)
  const answer = Object.entries(content).map(([type, { schema }]) => (schema.$ref ? kindOf(schema) : code(type)))
  return [
    `### ${method} ${path}\n`,
    `${about.join(' ')} Answers ${status} with ${answer.join(' or ')}.\n`,
    ...(query.length > 0
      ? [
          `${table(
            ['query', 'value', ''],
            query.map(({ name, schema, description: text = '' }) => [code(name), kindOf(schema), text]),
          )}\n`,
        ]
      : []),
    ...bodyOf(requestBody, document),
  ]
}

function bodyOf(body: Described['requestBody'], { components }: OpenApiDocument): string[] {
  if (!body) return []
  const [[type, { schema }]] = Object.entries(body.content) as [[string, { schema: Shape }]]
  const whole = schema.$ref ? (components.schemas[schema.$ref.split('/').at(-1)!] as Shape) : schema
  const { required = [] } = whole
  const properties = Object.entries(whole.properties ?? {})
  if (properties.length === 0) return [`The body is ${code(type)}.\n`]
  const rows = properties.map(([name, each]) => [
    code(name),
    kindOf(each),
    [required.includes(name) ? 'Required.' : '', each.description ?? ''].filter(Boolean).join(' '),
  ])
  return [`${table(['field of the body', 'value', ''], rows)}\n`]
}
