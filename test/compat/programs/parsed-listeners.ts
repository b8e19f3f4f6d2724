import Anthropic from '@anthropic-ai/sdk'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import * as z from 'zod'

const Place = z.object({ name: z.string(), size: z.number() })
const client = new Anthropic()
const messages = [{ role: 'user' as const, content: 'Name a place.' }]
const params = { model: 'claude-sonnet-4-6', max_tokens: 500, messages }

// Each listener sees the value of the text with its type.
const stream = client.messages.stream({ ...params, output_config: { format: zodOutputFormat(Place) } })
const names: (string | undefined)[] = []
stream.on('message', ({ parsed_output }) => names.push(parsed_output?.name))
stream.once('finalMessage', (message) => names.push(message.parsed_output?.name.slice(0)))
const emitted = stream.emitted('finalMessage')
await stream.done()
const size: number | undefined = (await emitted).parsed_output?.size
const received: z.infer<typeof Place> | null | undefined = stream.receivedMessages[0]?.parsed_output
console.log(names.length, names[0] === names[1], typeof size, received?.size === size)

let summaries = 0
const compacted = client.beta.messages.stream({ ...params, betas: ['compact-2026-01-12'] })
compacted.on('compaction', (summary: string) => (summaries += summary.length))
console.log((await compacted.finalMessage()).stop_reason, summaries)

const { allowed_fallback_models: fallbacks } = await client.beta.models.retrieve(params.model)
console.log(fallbacks?.length ?? 'none listed')

// Few servers know these fields, so they are not sent.
const counted: Anthropic.Beta.Messages.MessageCountTokensParams = {
  model: params.model,
  messages,
  billing_policy: { type: 'billing_policy', bill_to: 'self' },
  compaction: null,
}
delete counted.billing_policy
delete counted.compaction
const { input_tokens } = await client.beta.messages.countTokens(counted)
console.log(input_tokens > 0)
