// Prints the tokens and the dollars of one request.
import Anthropic from 'colloquy'
import { costOf, formatUsd } from 'colloquy/protocol'

const client = new Anthropic()

const message = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Name three uses of a paper clip.' }],
})

const { usage } = message
console.log(`input:       ${usage.input_tokens}`)
console.log(`cache write: ${usage.cache_creation_input_tokens ?? 0}`)
console.log(`cache read:  ${usage.cache_read_input_tokens ?? 0}`)
console.log(`output:      ${usage.output_tokens}`)

const cost = costOf(usage, message.model) // exact, in whole picodollars; rounded only when it is formatted
console.log(`cost:        ${cost ? formatUsd(cost.picoUsd) : `no price for ${message.model}`}`)
