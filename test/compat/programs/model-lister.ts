import Anthropic from '@anthropic-ai/sdk'
import type { ModelInfo } from '@anthropic-ai/sdk/resources/models'

const client = new Anthropic()

const all: ModelInfo[] = []
for await (const model of client.models.list({ limit: 3 })) all.push(model)
console.log(all.map(({ id }) => id))

const first = await client.models.list({ limit: 2 })
console.log(first.data.length, first.has_more, first.hasNextPage())
const second = first.hasNextPage() ? await first.getNextPage() : undefined
console.log(second?.data[0]?.id === all[2]?.id)

let pages = 0
for await (const page of (await client.models.list({ limit: 5 })).iterPages()) pages += page.data.length > 0 ? 1 : 0
console.log(pages === Math.ceil(all.length / 5))

const one = await client.models.retrieve(all[0]!.id)
console.log(one.type, one.display_name, one.max_input_tokens, one.capabilities?.thinking.supported)
