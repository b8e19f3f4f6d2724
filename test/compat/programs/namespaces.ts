import Anthropic from '@anthropic-ai/sdk'
import type { ClientOptions } from '@anthropic-ai/sdk'
import type { AutoParseableOutputFormat, ParsedMessage } from '@anthropic-ai/sdk/lib/parser'
import type { BetaTool } from '@anthropic-ai/sdk/resources/beta/messages'
import { Messages } from '@anthropic-ai/sdk/resources/messages'

// Names inside namespaces: of resources, of parameters and of tools.
const schema: Anthropic.Tool.InputSchema = { type: 'object', properties: { city: { type: 'string' } } }
const sameSchema: Anthropic.Messages.Tool.InputSchema = schema
const betaSchema: BetaTool.InputSchema = { type: 'object' }
const request: Anthropic.Messages.Batches.BatchCreateParams.Request = {
  custom_id: 'a',
  params: { model: 'm', max_tokens: 1, messages: [] },
}
const betaParams: Anthropic.Beta.Messages.MessageCreateParamsNonStreaming = {
  model: 'm',
  max_tokens: 1,
  messages: [{ role: 'user', content: 'Hi' }],
  betas: ['files-api-2025-04-14'],
}
const betaRequest: Anthropic.Beta.Messages.Batches.BatchCreateParams.Request = { custom_id: 'b', params: betaParams }
const streamed: Anthropic.Beta.Messages.MessageCreateParamsStreaming = { ...betaParams, stream: true }
const either: Anthropic.Beta.Messages.MessageCreateParams = streamed
const counted: Anthropic.Beta.Messages.MessageCountTokensParams = { model: 'm', messages: [] }
const profiled: Anthropic.MessageCreateParamsNonStreaming = {
  model: 'm',
  max_tokens: 1,
  messages: [],
  user_profile_id: 'profile_1',
}
const named: Anthropic.Messages.MessageCreateParams.MessageCreateParamsStreaming = { ...profiled, stream: true }
const lookUp: Anthropic.Models.ModelListParams = { limit: 2 }
const options: ClientOptions = { maxRetries: 0 }
const refusal: Anthropic.ErrorResponse = {
  type: 'error',
  error: { type: 'invalid_request_error', message: 'No' },
  request_id: null,
}
const format: AutoParseableOutputFormat<number> = { type: 'json_schema', schema: {}, parse: Number }

function textOf(message: ParsedMessage<number>): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}
function isSucceeded(result: Anthropic.Messages.Batches.MessageBatchResult): boolean {
  return result.type === 'succeeded'
}
function isEnded(batch: Anthropic.Beta.Messages.Batches.BetaMessageBatch): boolean {
  return batch.processing_status === 'ended'
}
function isStop(delta: Anthropic.RawMessageDeltaEvent.Delta): boolean {
  return delta.stop_reason !== null
}
function createWith(messages: Anthropic.Messages, all: Anthropic.Beta): unknown[] {
  return [messages.create, all.messages.create, messages instanceof Messages]
}

console.log(
  JSON.stringify([schema, sameSchema, betaSchema, request, betaRequest, either, counted, named, lookUp, options]),
  refusal.error.message,
  format.parse('7'),
  [textOf, isSucceeded, isEnded, isStop, createWith].map(({ name }) => name).join(' '),
)

const lost: Array<typeof Anthropic.NotFoundError | typeof Anthropic.BadRequestError> = [
  Anthropic.Messages.ThreadNotFoundError,
  Anthropic.Files.FileExpiredError,
]
const thrown: unknown = Anthropic.APIError.generate(404, undefined, 'No', new Headers())
console.log(
  lost.map((error) => [error.name, thrown instanceof error]),
  thrown instanceof Anthropic.Messages.ThreadNotFoundError ? thrown.errorCode : 'another error',
)
