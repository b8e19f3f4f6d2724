import { checkJson, describeIssues, type JsonSchema } from 'colloquy/protocol'
import type { Context, Hono } from 'hono'
import type { KeyRecord, Keys } from '../access/keys/keys.ts'
import { type KeySettings, settingsSchemas } from '../access/keys/settings.ts'
import { readSpending } from '../access/key-spending.ts'
import { keyObject } from '../access/key-object.ts'
import type { Database } from '../state/database.ts'
import { BodyReader } from '../messages/request/body.ts'
import { incomingOf } from '../messages/request/body-source.ts'
import { badRequest, checkNames, timeIn } from '../messages/request/query.ts'

/** The parts that the routes of keys use. */
export interface KeyRoutesOptions {
  keys: Keys
  database: Database
  now: () => number
  /** Called when a key has changed. */
  onChange: () => void
}

interface KeyBody extends KeySettings {
  name?: string
  workspace?: string
  is_admin?: boolean
  /** RFC 3339, or null. */
  expires_at?: string | null
}

const keyFields: Record<keyof KeyBody, JsonSchema> = {
  name: { type: 'string' },
  workspace: { type: 'string' },
  is_admin: { type: 'boolean' },
  expires_at: { type: ['string', 'null'] },
  ...settingsSchemas,
}
export const created: JsonSchema = {
  type: 'object',
  properties: keyFields,
  required: ['name'],
  additionalProperties: false,
}
const { expires_at, models, limits, budgets } = keyFields
export const changed: JsonSchema = {
  type: 'object',
  properties: { expires_at, models, limits, budgets },
  additionalProperties: false,
}
export const rotated: JsonSchema = {
  type: 'object',
  properties: { grace_seconds: { type: 'integer', minimum: 0, maximum: 2_592_000 } },
  additionalProperties: false,
}

const maxBodyBytes = 65_536

/** Adds the routes below `/admin/keys`. */
export function addKeyRoutes(app: Hono, { keys, database, now, onChange }: KeyRoutesOptions): void {
  const bodies = new BodyReader({ maxBodyBytes })
  const read = (c: Context): Promise<unknown> => bodies.readOptional(incomingOf(c.req.raw))
  const wire = async (key: KeyRecord): Promise<object> => {
    return keyObject(key, (await readSpending(database, [key], now())).get(key.id))
  }
  app.get('/admin/keys', async (c) => {
    checkNames(c.req.query(), ['workspace'])
    const found = await keys.list(c.req.query('workspace'))
    const spending = await readSpending(database, found, now())
    return c.json({ data: found.map((key) => keyObject(key, spending.get(key.id))) })
  })
  app.post('/admin/keys', async (c) => {
    const { name = '', workspace, is_admin, expires_at, ...settings } = checked<KeyBody>(created, await read(c))
    const { key, secret } = await keys.create({
      name,
      ...settings,
      ...(workspace !== undefined && { workspace }),
      ...(is_admin !== undefined && { isAdmin: is_admin }),
      expiresAt: timeIn('expires_at', expires_at) ?? null,
    })
    onChange()
    return c.json({ ...(await wire(key)), secret }, 201)
  })
  app.get('/admin/keys/:id', async (c) => c.json(await wire(await keys.get(c.req.param('id')))))
  app.post('/admin/keys/:id', async (c) => {
    const { expires_at, ...settings } = checked<KeyBody>(changed, await read(c))
    const expiresAt = timeIn('expires_at', expires_at)
    const key = await keys.update(c.req.param('id'), { ...settings, ...(expiresAt !== undefined && { expiresAt }) })
    onChange()
    return c.json(await wire(key))
  })
  app.post('/admin/keys/:id/revoke', async (c) => {
    const key = await keys.revoke(c.req.param('id'))
    onChange()
    return c.json(await wire(key))
  })
  app.post('/admin/keys/:id/rotate', async (c) => {
    const { grace_seconds = 0 } = checked<{ grace_seconds?: number }>(rotated, await read(c))
    const { key, secret } = await keys.rotate(c.req.param('id'), { graceMs: grace_seconds * 1000 })
    onChange()
    return c.json({ ...(await wire(key)), secret })
  })
  app.delete('/admin/keys/:id', async (c) => {
    const { id } = await keys.remove(c.req.param('id'))
    onChange()
    return c.json({ type: 'access_key_deleted', id })
  })
}

function checked<T>(schema: JsonSchema, body: unknown): T {
  const issues = checkJson(schema, body)
  if (issues.length > 0) throw badRequest(describeIssues(issues))
  return body as T
}
