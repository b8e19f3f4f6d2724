import { newId } from 'colloquy/engines'
import { cutText } from 'colloquy/protocol'
import type { Database, SqlValue } from '../../state/database.ts'
import { KeyError } from './key-error.ts'
import { hashOf, hintOf, isSameHash, newSecret } from './secret.ts'
import { checkSettings, type KeySettings } from './settings.ts'

/** A key as it is stored. Its secret is not: only a hash of it. */
export interface KeyRecord {
  id: string
  name: string
  /** Everything that requests store belongs to their workspace. */
  workspace: string
  /** Whether the key may use the routes below `/admin`. */
  isAdmin: boolean
  /** The end of the secret, to recognise it. */
  hint: string
  /** Milliseconds since 1970, like the other times. */
  createdAt: number
  expiresAt: number | null
  revokedAt: number | null
  /** The last request, up to a minute old. */
  lastUsedAt: number | null
  settings: KeySettings
}

/** A new key, with the secret that is shown once. */
export interface NewKey {
  key: KeyRecord
  secret: string
}

/** A key to create. */
export interface KeyOptions extends KeySettings {
  /** Letters, digits, `.`, `_` and `-`; unique among all keys. */
  name: string
  /** Default `default`. */
  workspace?: string
  /** Default false. */
  isAdmin?: boolean
  /** Milliseconds since 1970. Default: never. */
  expiresAt?: number | null
}

interface KeyRow extends Record<string, SqlValue> {
  id: string
  name: string
  workspace: string
  is_admin: number
  hint: string
  hash: string
  previous_hash: string | null
  settings: string
}

const columns = `id, name, workspace, is_admin, hint, hash, previous_hash, previous_until, settings, created_at, expires_at,
  revoked_at, last_used_at`

/**
 * The access keys of a server.
 *
 * @example
 * ```ts
 * import { openAccess } from '@colloquy/server/access'
 * import { openServerStore } from '@colloquy/server/store'
 *
 * const store = await openServerStore(':memory:')
 * const { keys } = await openAccess({ store })
 * const limits = { requests_per_minute: 60 }
 * const { key, secret } = await keys.create({ name: 'ada', limits, budgets: [{ usd: '5', per: 'day' }] })
 * console.log(key.name, secret.length > 30) // ada true
 * await store.close()
 * ```
 */
export class Keys {
  readonly #db: Database
  readonly #now: () => number

  constructor(database: Database, now: () => number = Date.now) {
    this.#db = database
    this.#now = now
  }

  /** Adds a key. Throws a `KeyError` if the name is taken or malformed, and a `RangeError` for wrong settings and a time in the past. */
  async create(options: KeyOptions): Promise<NewKey> {
    const { name, workspace = 'default', isAdmin = false, expiresAt = null, ...settings } = options
    for (const each of [name, workspace]) checkName(each)
    checkSettings(settings)
    const at = this.#now()
    if (expiresAt !== null && expiresAt <= at) {
      const time = new Date(expiresAt).toISOString()
      throw new RangeError(`Cannot create the key ${name} as it must expire later than now: found ${time}`)
    }
    const secret = newSecret()
    const row = await this.#one(
      `INSERT INTO %.access_key (id, name, workspace, is_admin, hint, hash, settings, created_at, expires_at)
       VALUES (:id, :name, :workspace, :isAdmin, :hint, :hash, :settings, :at, CAST(:expiresAt AS bigint))
       ON CONFLICT (name) DO NOTHING RETURNING ${columns}`,
      {
        id: newId('key_01'),
        name,
        workspace,
        isAdmin: isAdmin ? 1 : 0,
        hint: hintOf(secret),
        hash: hashOf(secret),
        settings: JSON.stringify(settings),
        at,
        expiresAt,
      },
    )
    if (row === undefined) throw new KeyError('exists', `Cannot create the key ${name}: there is one of this name`)
    return { key: recordOf(row), secret }
  }

  /** All keys, by name. @param workspace default: of all workspaces. */
  async list(workspace?: string): Promise<KeyRecord[]> {
    const where = workspace === undefined ? '' : 'WHERE workspace = :workspace'
    const sql = `SELECT ${columns} FROM %.access_key ${where} ORDER BY name`
    const rows = await this.#db.rows<KeyRow>('list the keys', sql, workspace === undefined ? {} : { workspace })
    return rows.map(recordOf)
  }

  /** Whether any key exists, valid or not. */
  async any(): Promise<boolean> {
    return (await this.#db.rows('read the keys', 'SELECT 1 FROM %.access_key LIMIT 1')).length > 0
  }

  /** The names of keys by id. An id without a key, such as of one that was removed, has none. */
  async names(ids: Iterable<string>): Promise<Map<string, string>> {
    const found = await this.#db.rows<Pick<KeyRow, 'id' | 'name'>>(
      'read the keys',
      'SELECT id, name FROM %.access_key WHERE id IN (SELECT row.id FROM json_rows(:ids, id text))',
      { ids: JSON.stringify(Array.from(new Set(ids), (id) => ({ id }))) },
    )
    return new Map(found.map(({ id, name }) => [id, name]))
  }

  /** Finds a key by its name or id. Throws a `KeyError` if there is none. */
  async get(nameOrId: string): Promise<KeyRecord> {
    return recordOf(await this.#row(nameOrId))
  }

  /** Finds the valid key with this secret. */
  async find(secret: string): Promise<KeyRecord | undefined> {
    const hash = hashOf(secret)
    const row = await this.#one(
      `SELECT ${columns} FROM %.access_key WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :at)
         AND (hash = :hash OR (previous_hash = :hash AND previous_until > :at))`,
      { hash, at: this.#now() },
    )
    const isSame = row !== undefined && [row.hash, row.previous_hash ?? ''].some((each) => isSameHash(each, hash))
    return isSame ? recordOf(row) : undefined
  }

  /** Changes the settings of a key, or when it expires. Fields that are absent stay, also if another process changes them. */
  async update(nameOrId: string, changes: KeySettings & { expiresAt?: number | null }): Promise<KeyRecord> {
    const { expiresAt, ...settings } = changes
    checkSettings(settings)
    for (;;) {
      const { id, settings: before } = await this.#row(nameOrId)
      const row = await this.#one(
        `UPDATE %.access_key SET settings = :settings,
           expires_at = CASE WHEN :expires = 1 THEN CAST(:expiresAt AS bigint) ELSE expires_at END
         WHERE id = :id AND settings = :before RETURNING ${columns}`,
        {
          id,
          before,
          settings: JSON.stringify({ ...(JSON.parse(before) as KeySettings), ...settings }),
          expires: expiresAt === undefined ? 0 : 1,
          expiresAt: expiresAt ?? null,
        },
      )
      if (row !== undefined) return recordOf(row)
    }
  }

  /** Ends a key. Its row stays, so that usage keeps its name. */
  revoke(nameOrId: string): Promise<KeyRecord> {
    const sql = 'UPDATE %.access_key SET revoked_at = coalesce(revoked_at, :at) WHERE name = :key OR id = :key'
    return this.#changed(nameOrId, sql, { at: this.#now(), key: nameOrId })
  }

  /** Replaces the secret. The earlier one is accepted for `graceMs` more. Default 0. */
  async rotate(nameOrId: string, { graceMs = 0 }: { graceMs?: number } = {}): Promise<NewKey> {
    const secret = newSecret()
    const key = await this.#changed(
      nameOrId,
      `UPDATE %.access_key SET previous_hash = hash, previous_until = :until, hash = :hash, hint = :hint
       WHERE (name = :key OR id = :key) AND revoked_at IS NULL`,
      { until: this.#now() + graceMs, hash: hashOf(secret), hint: hintOf(secret), key: nameOrId },
    )
    return { key, secret }
  }

  /** Erases a key. Usage then shows its id instead of its name. */
  remove(nameOrId: string): Promise<KeyRecord> {
    return this.#changed(nameOrId, 'DELETE FROM %.access_key WHERE name = :key OR id = :key', { key: nameOrId })
  }

  async #row(nameOrId: string): Promise<KeyRow> {
    const row = await this.#one(`SELECT ${columns} FROM %.access_key WHERE name = :key OR id = :key`, { key: nameOrId })
    if (row === undefined) throw notFound(nameOrId)
    return row
  }

  async #changed(nameOrId: string, sql: string, values: Record<string, SqlValue>): Promise<KeyRecord> {
    const row = await this.#one(`${sql} RETURNING ${columns}`, values)
    if (row === undefined) throw notFound(nameOrId)
    return recordOf(row)
  }

  async #one(sql: string, values: Record<string, SqlValue>): Promise<KeyRow | undefined> {
    const [row] = await this.#db.rows<KeyRow>('use the keys', sql, values)
    return row
  }
}

function recordOf(row: KeyRow): KeyRecord {
  const { id, name, workspace, hint } = row
  const time = (column: string): number | null => (row[column] as number | null) ?? null
  return {
    id,
    name,
    workspace,
    isAdmin: row.is_admin === 1,
    hint,
    createdAt: row['created_at'] as number,
    expiresAt: time('expires_at'),
    revokedAt: time('revoked_at'),
    lastUsedAt: time('last_used_at'),
    settings: JSON.parse(row.settings) as KeySettings,
  }
}

function checkName(name: string): void {
  if (/^[\w.-]{1,64}$/.test(name)) return
  throw new KeyError(
    'invalid',
    `Cannot use the name ${JSON.stringify(name)}: it must be 1 to 64 of A-Z, a-z, 0-9, . _ -`,
  )
}

function notFound(nameOrId: string): KeyError {
  return new KeyError('not_found', `There is no key ${cutText(nameOrId, 100)}`)
}
