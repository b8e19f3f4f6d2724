import Official from '@anthropic-ai/sdk'
import * as officialIndex from '@anthropic-ai/sdk'
import * as officialBetaJson from '@anthropic-ai/sdk/helpers/beta/json-schema'
import * as officialBetaMcp from '@anthropic-ai/sdk/helpers/beta/mcp'
import * as officialBetaMemory from '@anthropic-ai/sdk/helpers/beta/memory'
import * as officialBetaStandard from '@anthropic-ai/sdk/helpers/beta/standard-schema'
import * as officialToolsets from '@anthropic-ai/sdk/helpers/beta/toolsets'
import * as officialNodeToolsets from '@anthropic-ai/sdk/helpers/beta/toolsets/node'
import * as officialBetaZod from '@anthropic-ai/sdk/helpers/beta/zod'
import * as officialJson from '@anthropic-ai/sdk/helpers/json-schema'
import * as officialZod from '@anthropic-ai/sdk/helpers/zod'
import * as officialMemoryFolder from '@anthropic-ai/sdk/tools/memory/node'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Colloquy from 'colloquy'
import * as ourIndex from 'colloquy'
import * as ourTools from 'colloquy/tools'
import * as ourMemory from 'colloquy/tools/memory'
import * as ourToolsets from 'colloquy/tools/toolsets'
import * as ourNodeToolsets from 'colloquy/tools/toolsets/node'
import { root } from '../source.ts'
import { frame, hello, helloStream } from './fixtures.ts'

/** The names of a part of the official client, and whether ours has them. */
export interface Surface {
  official: string[]
  isOurs: (name: string) => boolean
}

const sdk = join(root, 'node_modules/@anthropic-ai/sdk')
const client = join(root, 'packages/colloquy/src/client')

/** The surfaces by their section in docs/compatibility.md. */
export async function surfaces(): Promise<Record<string, Surface>> {
  const [official, ours] = await Promise.all([specimens(Official), specimens(Colloquy as unknown as typeof Official)])
  const members = Object.entries(official).map(([section, specimen]) => {
    const hidden = internal[section] ? internalsOf(internal[section]) : []
    const names = namesOf(specimen).filter((name) => !hidden.includes(name))
    return [section, { official: names, isOurs: (name) => name in ours[section]! } satisfies Surface] as const
  })
  return {
    ...Object.fromEntries(members),
    'Client options': listed(fieldsOf(join(sdk, 'client.d.ts'), 'ClientOptions'), ourFields('ClientOptions')),
    'Request options': listed(
      fieldsOf(join(sdk, 'internal/request-options.d.ts'), 'RequestOptions'),
      ourFields('FinalRequestOptions'),
    ),
    'Events of a message stream': listed(
      ['lib/MessageStream.d.ts', 'lib/BetaMessageStream.d.ts'].flatMap((file) =>
        fieldsOf(join(sdk, file), 'MessageStreamEvents'),
      ),
      fieldsOf(join(client, 'stream/listeners.ts'), 'MessageStreamEvents'),
    ),
    'Environment variables': listed(
      variablesIn(sdk, '**/*.mjs', 'readEnv'),
      variablesIn(client, '**/*.ts', 'environment'),
    ),
    'Exports of the package': listed(Object.keys(officialIndex), Object.keys(ourIndex)),
    'Exports of its helpers': listed(officialHelpers.flatMap(Object.keys), [
      ...Object.keys(ourTools),
      ...Object.keys(ourMemory),
      ...Object.keys(ourToolsets),
      ...Object.keys(ourNodeToolsets),
    ]),
  }
}

function listed(official: string[], ours: string[]): Surface {
  return { official: [...new Set(official)], isOurs: (name) => ours.includes(name) }
}

const officialHelpers = [
  officialJson,
  officialZod,
  officialBetaJson,
  officialBetaZod,
  officialBetaStandard,
  officialBetaMcp,
  officialBetaMemory,
  officialMemoryFolder,
  officialToolsets,
  officialNodeToolsets,
]

const page = { data: [{ id: 'a' }], has_more: false, first_id: 'a', last_id: 'a' }

/** Creates one of each object that a program gets from the client. */
async function specimens(Anthropic: typeof Official): Promise<Record<string, object>> {
  const client = new Anthropic({ apiKey: 'any', fetch: async (_, init) => answer(String(init?.body)) })
  const stream = client.messages.stream(hello)
  await stream.done()
  const promise = client.messages.create(hello)
  await promise
  return {
    'The class': Anthropic,
    'The client': client,
    'client.messages': client.messages,
    'client.messages.batches': client.messages.batches,
    'client.models': client.models,
    'client.files': client.files,
    'client.beta': client.beta,
    'client.beta.messages': client.beta.messages,
    'Message streams': stream,
    'Raw streams': await client.messages.create({ ...hello, stream: true }),
    'Promises of calls': promise,
    Pages: await client.models.list(),
    'Tool runners': client.beta.messages.toolRunner({ ...hello, tools: [] }),
    Threads: client.beta.messages.thread(hello),
    Errors: new Anthropic.APIError(400, undefined, 'no', new Headers()),
  }
}

function answer(body: string): Response {
  if (!body.includes('"stream":true')) return Response.json(page)
  return new Response(helloStream.map(frame).join(''), { headers: { 'content-type': 'text/event-stream' } })
}

/** Returns the public names of an object. */
function namesOf(specimen: object): string[] {
  const names = new Set<string>()
  const builtin: unknown[] = [Object.prototype, Function.prototype, Promise.prototype, Error.prototype]
  for (let at: object | null = specimen; at && !builtin.includes(at); at = Object.getPrototypeOf(at) as object | null) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  }
  const ordinary = ['constructor', 'length', 'name', 'prototype', 'stack', 'message', 'cause']
  return [...names].filter((name) => !name.startsWith('_') && !ordinary.includes(name)).toSorted()
}

/** The official declarations that mark private and protected members, which cannot be recognized at run time. */
const internal: Record<string, string> = {
  'The client': 'client.d.ts',
  'Promises of calls': 'core/api-promise.d.ts',
  'Raw streams': 'core/streaming.d.ts',
  Pages: 'core/pagination.d.ts',
}

function internalsOf(file: string): string[] {
  const text = readFileSync(join(sdk, file), 'utf8')
  return [...text.matchAll(/^\s+(?:private|protected) (?:readonly )?(\w+)/gm)].map(([, name]) => name!)
}

/** The fields of one of our interfaces and of those that it extends, wherever in the client they are declared. */
function ourFields(name: string): string[] {
  for (const file of globSync('**/*.ts', { cwd: client })) {
    const text = readFileSync(join(client, file), 'utf8')
    const [, parents] = new RegExp(`^export interface ${name}\\b(?: extends ([^{]*))?`, 'm').exec(text) ?? [undefined]
    const own = fieldsOf(join(client, file), name)
    if (own.length > 0) return [...own, ...(parents?.match(/\w+/g) ?? []).flatMap(ourFields)]
  }
  return []
}

/** The fields of an interface, from its text. */
function fieldsOf(file: string, name: string): string[] {
  const text = readFileSync(file, 'utf8')
  const [, body = ''] = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(text) ?? []
  return [...body.matchAll(/^ {2,4}(\w+)\??:/gm)].map(([, field]) => field!).filter((field) => !field.startsWith('_'))
}

function variablesIn(folder: string, files: string, reader: string): string[] {
  const found = globSync(files, { cwd: folder }).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(new RegExp(`\\b${reader}\\('(ANTHROPIC_\\w+)'\\)`, 'g'))].map(
      ([, name]) => name!,
    ),
  )
  return [...new Set(found)].toSorted()
}
