import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typeErrors } from './compiler.ts'
import { officialPaths } from './type-names.ts'

/** The official types that are not assignable to ours, by the reason. */
const notTaken: Record<string, string[]> = {
  'a system message of the beta may have no content; here a message always has it': [
    'Beta.Messages.BatchCreateParams',
    'Beta.Messages.Batches.BatchCreateParams',
    'Beta.Messages.BetaMessageParam',
    'Beta.Messages.BetaSystemMessageParam',
    'Beta.Messages.BetaToolRunnerParams',
    'Beta.Messages.MessageCountTokensParams',
    'Beta.Messages.MessageCreateParams',
    'Beta.Messages.MessageCreateParamsNonStreaming',
    'Beta.Messages.MessageCreateParamsStreaming',
  ],
  'a class with private members is assignable only to itself': ['Beta.Messages.Batches', 'Messages.Batches'],
}

/** Types of ours without fields that older servers omit, and without unions that are open to later types. */
const given = [
  'Messages.Base64ImageSource',
  'Messages.BrowserMemberInput',
  'Messages.BrowserToolset20260801',
  'Messages.CacheControlEphemeral',
  'Messages.CodeExecutionToolResultBlock',
  'Messages.ComputerMemberInput',
  'Messages.ComputerToolset20260801',
  'Messages.ContainerParams',
  'Messages.ContainerUploadBlock',
  'Messages.ImageBlockParam',
  'Messages.InputJSONDelta',
  'Messages.MessageTokensCount',
  'Messages.Metadata',
  'Messages.RedactedThinkingBlock',
  'Messages.TextDelta',
  'Messages.TextEditorCodeExecutionToolResultBlockParam',
  'Messages.ThinkingBlock',
  'Messages.ToolChoice',
  'Messages.ToolSearchToolResultBlock',
  'Messages.ToolUseBlockParam',
  'Messages.WebSearchToolResultBlockParam',
  'Beta.Messages.BetaBrowserToolUseBlock',
  'Beta.Messages.BetaComputerToolUseBlock',
  'Beta.Messages.BetaMCPToolset',
  'Beta.Messages.BetaTool',
  'Beta.Messages.BetaToolUseBlock',
]

test('every official type of Messages is assignable to ours, apart from a few that have a reason', async () => {
  const paths = officialPaths().filter((path) => isInNamespace.test(path) && !isClass.test(path))
  assert.ok(paths.length > 1000, `only ${paths.length} were found`)
  const names = paths.map((path) => path.slice('Anthropic.'.length))
  assert.deepEqual(await wrongAssignments(names, 'Ours', 'Official'), Object.values(notTaken).flat().toSorted())
})

test('types of ours that are closed are assignable to the official ones', async () => {
  assert.deepEqual(await wrongAssignments(given, 'Official', 'Ours'), [])
})

test('an official program takes the reply, the events and the tools of a call', async () => {
  const program = `
    import Ours from 'colloquy'
    import Official from '@anthropic-ai/sdk'
    declare const ours: Ours, message: Official.Message, params: Official.MessageCreateParamsNonStreaming
    export const reply: Promise<Ours.Message> = ours.messages.create(params)
    export const streamed = ours.messages.stream(params as Official.MessageStreamParams)
    export const again: Ours.MessageParam = { role: message.role, content: message.content }
    export const next = ours.messages.create({ ...params, messages: [...params.messages, again] })
    export const event = (event: Official.RawMessageStreamEvent): Ours.RawMessageStreamEvent => event
    export const batch = ours.messages.batches.create({ requests: [{ custom_id: 'a', params }] })
    export const count = ours.messages.countTokens({ model: params.model, messages: params.messages })`
  assert.deepEqual(await typeErrors(program), [])
})

test('official options of clients and requests are assignable to ours', async () => {
  // Headers of official options may be of an internal type. A request of its middleware may lack a method.
  const program = `
    import Ours from 'colloquy'
    import Official, { type ClientOptions } from '@anthropic-ai/sdk'
    declare const client: Omit<ClientOptions, 'defaultHeaders' | 'middleware'>
    declare const request: Omit<Official.RequestOptions, 'headers' | 'middleware'>
    declare const headers: string[][]
    export const clientOptions: Ours.ClientOptions[] = [client, { defaultHeaders: headers }, { defaultHeaders: null }]
    export const requestOptions: Ours.RequestOptions[] = [request, { headers }, { headers: null }]`
  assert.deepEqual(await typeErrors(program), [])
})

const isInNamespace = /^Anthropic\.(Messages|Beta\.Messages|Models|Files|Beta\.Models|Beta\.Files)(\.Batches)?\.\w+$/
const isClass = /(Error|Page|PageCursor)$/

/** Returns the names whose type of one package cannot be assigned to that of the other. Types with parameters are left out. */
async function wrongAssignments(names: readonly string[], to: string, from: string): Promise<string[]> {
  const imports = [`import Ours from 'colloquy'`, `import Official from '@anthropic-ai/sdk'`]
  const lines = names.map((name, index) => `export const value${index}: ${to}.${name} = {} as ${from}.${name}`)
  const errors = (await typeErrors([...imports, ...lines].join('\n'))).filter((error) => !error.includes('TS2314'))
  const wrong = errors.map(
    (error) => names[Number(/program\.ts\((\d+),/.exec(error)?.[1]) - 1 - imports.length] ?? error,
  )
  return [...new Set(wrong)].toSorted()
}
