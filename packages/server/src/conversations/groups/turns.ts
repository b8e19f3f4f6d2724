import type { Conversation, Turn, TurnOptions } from 'colloquy/conversation'
import type { MessageContentParam } from 'colloquy/protocol'
import type { Hono } from 'hono'
import { boolean, literal, optional, type Schema, string } from '../../messages/validate/schema.ts'
import type { EditBody, RetryBody, SendBody, StopJson, TurnBody } from '../api.ts'
import { withData } from '../json/attachments.ts'
import { content, object, settings } from '../input.ts'
import type { Resources, RouteContext, RouteEnv } from '../resources.ts'

const turnFields = {
  settings: optional(settings),
  onConflict: optional(literal('fail', 'queue', 'branch')),
}
export const sendBody: Schema<SendBody> = object<SendBody>({ content, key: optional(string), ...turnFields })
export const editBody: Schema<EditBody> = object<EditBody>({
  messageId: string,
  content,
  rerun: optional(boolean),
  ...turnFields,
})
export const retryBody: Schema<RetryBody> = object<RetryBody>({ messageId: optional(string), ...turnFields })
export const turnBody: Schema<TurnBody> = object<TurnBody>(turnFields)

/** Adds the routes that begin, follow and stop turns. */
export function addTurnRoutes(app: Hono<RouteEnv>, resources: Resources): void {
  const { conversations, pingMs, tools, open } = resources
  const post = <Body extends TurnBody>(name: string, schema: Schema<Body>, begin: Begin<Body>): void => {
    app.post(`/api/conversations/:id/${name}`, (c) => respond(c, resources, schema, begin))
  }
  post('send', sendBody, (conversation, { content, key }, options) => {
    return conversation.send(content, { ...options, ...(key !== undefined && { key }) })
  })
  post('edit', editBody, (conversation, { messageId, content, rerun = true }, options) => {
    return conversation.edit(messageId, content, { ...options, rerun })
  })
  post('retry', retryBody, (conversation, { messageId }, options) => conversation.retry(messageId, options))
  post('continue', turnBody, (conversation, _body, options) => conversation.continue(options))

  app.post('/api/conversations/:id/calls/:callId/run', async (c) => {
    return c.json(await tools.run(await open(c), c.req.param('callId'), c.req.raw.signal))
  })
  app.get('/api/conversations/:id/turn', (c) => {
    return conversations.resume(c.req.param('id'), { request: c.req.raw, pingMs, ...ownerOf(c) })
  })
  app.post('/api/conversations/:id/stop', async (c) => {
    const stopped = await conversations.stop(c.req.param('id'), ownerOf(c))
    return c.json({ stopped } satisfies StopJson)
  })
}

type Begin<Body> = (conversation: Conversation, body: Body, options: TurnOptions) => Turn

/** Begins a turn and answers with its events. The turn runs to its end, whether or not the client reads them. */
async function respond<Body extends TurnBody>(
  c: RouteContext,
  { bodies, open, pingMs, tools }: Resources,
  schema: Schema<Body>,
  begin: Begin<Body>,
): Promise<Response> {
  const conversation = await open(c)
  const body = await bodies.read(c.req.raw, schema)
  const { settings: changes = {}, onConflict } = body
  // A page that edits a message sends its files as their paths.
  if ('content' in body) body.content = await withData(body.content as MessageContentParam, conversation)
  const options = {
    ...changes,
    ...tools.ofTurn(conversation, changes),
    ...(onConflict !== undefined && { onConflict }),
  } as TurnOptions
  const turn = begin(conversation, body, options)
  turn.catch((error: unknown) => c.env.onError?.(error))
  return turn.toResponse({ pingMs })
}

function ownerOf(c: RouteContext): { owner?: string } {
  const owner = c.get('owner')
  return owner === undefined ? {} : { owner }
}
