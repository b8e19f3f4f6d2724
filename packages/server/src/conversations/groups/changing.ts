import type { Conversation, ConversationUpdate, CreateOptions, SettingsChanges } from 'colloquy/conversation'
import type { Hono } from 'hono'
import { array, integer, json, literal, opaque, optional, type Schema, string } from '../../messages/validate/schema.ts'
import type {
  ChangeBody,
  CreateBody,
  DeletedJson,
  EraseBody,
  ForkBody,
  ImportedJson,
  MessageBody,
  PageJson,
  UndoBody,
} from '../api.ts'
import { nullableMember, object, settings } from '../input.ts'
import { messageIn } from '../json/attachments.ts'
import { pageLength } from './reading.ts'
import type { Resources, RouteContext, RouteEnv } from '../resources.ts'
import { conversationJson, listedJson, plain } from '../json/shapes.ts'

export const createBody: Schema<CreateBody> = object<CreateBody>({
  id: optional(string),
  title: optional(string),
  metadata: optional(json),
  settings: optional(settings),
  messages: optional(array(opaque())),
})
export const changeBody: Schema<ChangeBody> = object<ChangeBody>({
  title: nullableMember(string),
  metadata: nullableMember(json),
  shelf: nullableMember(literal('pinned', 'archived')),
  settings: optional(settings),
})
export const undoBody: Schema<UndoBody> = object<UndoBody>({ turns: optional(integer({ least: 1 })) })
export const messageBody: Schema<MessageBody> = object<MessageBody>({ messageId: string })
export const forkBody: Schema<ForkBody> = object<ForkBody>({ messageId: optional(string) })
export const eraseBody: Schema<EraseBody> = object<EraseBody>({
  messageId: string,
  undoMs: optional(integer({ least: 0, most: 60_000 })),
})

/** Adds the routes that change conversations without a turn. */
export function addChangeRoutes(app: Hono<RouteEnv>, resources: Resources): void {
  const { bodies, erasures, open } = resources
  app.post('/api/conversations', async (c) => c.json(await shown(await create(c, resources)), 201))
  app.post('/api/conversations/import', async (c) => c.json(await importAll(c, resources), 201))
  app.patch('/api/conversations/:id', async (c) => {
    const conversation = await open(c)
    await change(conversation, await bodies.read(c.req.raw, changeBody))
    return c.json(await shown(conversation))
  })
  app.post('/api/conversations/:id/undo', async (c) => {
    const conversation = await open(c)
    await conversation.undo((await bodies.read(c.req.raw, undoBody)).turns)
    return c.json(await shown(conversation))
  })
  app.post('/api/conversations/:id/switch', async (c) => {
    const conversation = await open(c)
    await conversation.switchTo((await bodies.read(c.req.raw, messageBody)).messageId)
    return c.json(await shown(conversation))
  })
  app.post('/api/conversations/:id/erase', async (c) => {
    const conversation = await open(c)
    const { messageId, undoMs = 0 } = await bodies.read(c.req.raw, eraseBody)
    erasures.takeBack(conversation.id, messageId)
    await messageIn(conversation, messageId)
    if (undoMs === 0) await conversation.erase(messageId)
    else erasures.begin(conversation, messageId, undoMs)
    return c.json(await shown(conversation))
  })
  app.post('/api/conversations/:id/erase/undo', async (c) => {
    const conversation = await open(c)
    const { messageId } = await bodies.read(c.req.raw, messageBody)
    if (!erasures.takeBack(conversation.id, messageId)) {
      await messageIn(conversation, messageId)
      await takeBackElsewhere(conversation)
    }
    return c.json(await shown(conversation))
  })
  app.post('/api/conversations/:id/fork', async (c) => {
    const conversation = await open(c)
    return c.json(await shown(await conversation.fork((await bodies.read(c.req.raw, forkBody)).messageId)), 201)
  })
  app.delete('/api/conversations/:id', async (c) => c.json(await remove(c, resources)))
  app.post('/api/conversations/:id/restore', async (c) => c.json(await restore(c, resources)))
}

function shown(conversation: Conversation): Promise<object> {
  return conversationJson(conversation, pageLength)
}

async function create(c: RouteContext, { conversations, bodies, defaults }: Resources): Promise<Conversation> {
  const { settings: given, ...about } = await bodies.read(c.req.raw, createBody)
  const owner = c.get('owner')
  // `create()` checks that the settings are complete.
  return conversations.create({
    ...(await defaults(c)),
    ...given,
    ...about,
    ...(owner !== undefined && { owner }),
  } as CreateOptions)
}

async function importAll(
  c: RouteContext,
  { conversations, bodies, defaults, deletions }: Resources,
): Promise<Pick<PageJson<ImportedJson>, 'data'>> {
  const owner = c.get('owner')
  const text = await bodies.readText(c.req.raw)
  const imported = await conversations.importAll(text, {
    defaults: await defaults(c),
    ...(owner !== undefined && { owner }),
  })
  // One that is being deleted stays.
  for (const { id, existed } of imported) if (existed) deletions.takeBack(id, owner)
  return { data: imported.map((each) => plain(each) as ImportedJson) }
}

async function change(conversation: Conversation, { settings: changes, ...about }: ChangeBody): Promise<void> {
  if (changes !== undefined) {
    const entries = Object.entries(changes).map(([name, value]) => [name, value ?? undefined])
    await conversation.configure(Object.fromEntries(entries) as SettingsChanges)
  }
  const given = Object.entries(about).filter(([, value]) => value !== undefined)
  if (given.length > 0) await conversation.update(Object.fromEntries(given) as ConversationUpdate)
}

async function remove(c: RouteContext, { conversations, deletions, feed, open }: Resources): Promise<DeletedJson> {
  const { id, owner, updatedAt } = await open(c)
  // A turn in flight would make it new again.
  await conversations.stop(id)
  const current = await open(c)
  const restorableUntil = deletions.begin(id, { owner, updatedAt: current.updatedAt ?? updatedAt })
  feed.tell(owner, { type: 'deleted', id })
  return { id, restorableUntil: restorableUntil.toISOString() }
}

async function restore(c: RouteContext, { conversations, deletions, feed, open }: Resources): Promise<object> {
  const id = c.req.param('id') ?? ''
  const isOurs = deletions.takeBack(id, c.get('owner'))
  const conversation = await open(c)
  if (!isOurs) await takeBackElsewhere(conversation)
  // It is the first of these, or has been used in the same millisecond.
  const usedBefore = new Date(conversation.updatedAt.getTime() + 1)
  const listed = (await conversations.list({ usedBefore, limit: 100 })).find((each) => each.id === id)
  if (listed) feed.tell(conversation.owner, { type: 'changed', conversation: listedJson(listed) })
  return shown(conversation)
}

/** Another server of the store may be about to delete or erase: it does not if the conversation has changed since. */
async function takeBackElsewhere(conversation: Conversation): Promise<void> {
  await conversation.update({})
}
