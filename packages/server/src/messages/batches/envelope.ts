import { apiError } from 'colloquy/protocol'
import { memberJson } from '../request/json-body.ts'
import {
  arrayInSteps,
  type Context,
  dictionary,
  json,
  object,
  objectInSteps,
  refuse,
  type Schema,
  type Steps,
  text,
} from '../validate/schema.ts'

/** An item of a new batch. */
export interface NewItem {
  custom_id: string
  /** The params as JSON. */
  params: string
}

interface GivenItem {
  custom_id: string
  params: object
}

const mostItems = 100_000
const context: Context = { lenient: false, version: '', betas: new Set() }

// The params are checked when the item is run: a wrong one is an error of that item only.
const item: Schema<GivenItem> = object<GivenItem>({
  custom_id: text({ pattern: /^[a-zA-Z0-9_-]{1,64}$/ }),
  params: json,
})
/** The body of `POST /v1/messages/batches`. */
export const envelope: Steps<{ requests: GivenItem[] }> = objectInSteps<{ requests: GivenItem[] }>({
  requests: arrayInSteps(item),
})

/** Checks the body of `POST /v1/messages/batches`, all but the params. Throws the API's 400 or 413. */
export function* checkEnvelope(body: unknown): Generator<void, NewItem[]> {
  const { requests: list } = dictionary(body, '')
  if (Array.isArray(list) && list.length > mostItems)
    throw apiError('request_too_large', `A batch may have at most ${mostItems} requests, not ${list.length}`)
  const { requests } = yield* envelope.steps(body, '', context)
  if (requests.length === 0) refuse('requests', 'List should have at least 1 item after validation, not 0')
  const positions = new Map<string, number>()
  const items: NewItem[] = []
  for (const [index, given] of requests.entries()) {
    const { custom_id } = given
    const first = positions.get(custom_id)
    if (first !== undefined)
      refuse(`requests.${index}.custom_id`, `'${custom_id}' is not unique: requests.${first} has the same`)
    positions.set(custom_id, index)
    items.push({ custom_id, params: yield* memberJson(given, 'params') })
    yield
  }
  return items
}
