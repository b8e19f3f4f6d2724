// A program for the official client. The library is installed under its name, as by `npm:colloquy` in a manifest.
import Anthropic, { toFile, type ClientOptions } from '@anthropic-ai/sdk'
import { APIPromise } from '@anthropic-ai/sdk/core/api-promise'
import { Stream } from '@anthropic-ai/sdk/core/streaming'
import { APIError, NotFoundError } from '@anthropic-ai/sdk/error'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { mcpTools } from '@anthropic-ai/sdk/helpers/beta/mcp'
import { betaMemoryTool } from '@anthropic-ai/sdk/helpers/beta/memory'
import { BetaAbstractComputerToolset20260801, ToolError } from '@anthropic-ai/sdk/helpers/beta/toolsets'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import { BetaToolRunner } from '@anthropic-ai/sdk/lib/tools/BetaToolRunner'
import { ToolError as SameToolError } from '@anthropic-ai/sdk/lib/tools/ToolError'
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema'
import { PagePromise } from '@anthropic-ai/sdk/pagination'
import { Messages, type MessageParam } from '@anthropic-ai/sdk/resources'
import type { BetaMessage } from '@anthropic-ai/sdk/resources/beta/messages'
import type { Message } from '@anthropic-ai/sdk/resources/messages'
import { type Uploadable } from '@anthropic-ai/sdk/uploads'

const options: ClientOptions = {
  apiKey: 'any',
  fetch: async () =>
    new Response('{"type":"error","error":{"type":"not_found_error","message":"none"}}', { status: 404 }),
}
const client = new Anthropic(options)
const messages: MessageParam[] = [{ role: 'user', content: 'Hello' }]
const request = client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 1, messages })
const file: Promise<Uploadable> = toFile(new Uint8Array([1]), 'one.bin')
const textOf = ({ content }: Message | BetaMessage): string => JSON.stringify(content)

const failure: unknown = await request.then(textOf, (error: unknown) => error)
console.log(
  JSON.stringify({
    isPromise: request instanceof APIPromise,
    isError: failure instanceof NotFoundError && failure instanceof Anthropic.APIError,
    isSameError: APIError === Anthropic.APIError,
    isSameToolError: ToolError === SameToolError,
    isMessages: client.messages instanceof Messages,
    file: ((await file) as File).name,
    functions: [betaTool, mcpTools, betaMemoryTool, zodOutputFormat, transformJSONSchema].map((each) => typeof each),
    classes: [Stream, MessageStream, BetaToolRunner, PagePromise, BetaAbstractComputerToolset20260801].map(
      (each) => typeof each,
    ),
  }),
)
