import { apiError } from 'colloquy/protocol'
import type { Database } from '../../state/database.ts'
import { type Page, pageById } from '../../state/page-by-id.ts'

/** A row of the table `file`. */
export interface FileRow {
  id: string
  workspace: string
  name: string
  media_type: string
  bytes: number
  created_at: number
  expires_at: number | null
}

const columns = 'id, workspace, name, media_type, bytes, created_at, expires_at'
const partBytes = 384 * 1024
const dayMs = 86_400_000

/** The number of files of a workspace, and the sum of their bytes. */
export interface Totals {
  files: number
  bytes: number
}

/** Keeps the bytes of files. */
export interface FileBytes {
  /** Stores the bytes of a new file. Returns its id. */
  add(file: FileRow, bytes: Uint8Array): Promise<string>
  /** The bytes part by part. */
  read(file: FileRow): AsyncIterable<Uint8Array>
  remove(id: string): Promise<void>
}

/** The files of all workspaces. */
export class FileStore {
  readonly #db: Database
  readonly #now: () => number
  readonly #bytes: FileBytes

  constructor(database: Database, now: () => number, bytes: FileBytes = new StoredBytes(database)) {
    this.#db = database
    this.#now = now
    this.#bytes = bytes
  }

  /**
   * Adds a file. It does not exist for others until its last byte is stored. Returns it with its id. Throws the API's 400 if the
   * workspace would then have more than it may.
   */
  async add(file: FileRow, bytes: Uint8Array, limits: Totals): Promise<FileRow> {
    await this.#clean()
    await this.#db.rows(
      'add the file',
      `INSERT INTO %.file (id, workspace, name, media_type, bytes, created_at, expires_at, is_ready)
       VALUES (:id, :workspace, :name, :media_type, :bytes, :created_at, CAST(:expires_at AS bigint), 0)`,
      { ...file },
    )
    // Counted with this one: of two that are added at once, each counts the other.
    const { files, bytes: stored } = await this.#totals(file.workspace)
    if (files > limits.files || stored > limits.bytes) {
      await this.#forget(file.id)
      throw quotaError(limits)
    }
    let { id } = file
    try {
      id = await this.#bytes.add(file, bytes)
      const sql = 'UPDATE %.file SET is_ready = 1, id = :id WHERE id = :given'
      await this.#db.rows('add the file', sql, { id, given: file.id })
      return { ...file, id }
    } catch (error) {
      // If this fails too, #clean() does it in a day.
      await this.#undo(file.id, id).catch(() => {})
      throw error
    }
  }

  /** Finds a file. Throws the API's 404. */
  async get(workspace: string, id: string): Promise<FileRow> {
    const sql = `SELECT ${columns} FROM %.file WHERE id = :id AND workspace = :workspace AND is_ready = 1`
    const [row] = await this.#db.rows<FileRow>('read the file', sql, { id, workspace })
    if (!row) throw apiError('not_found_error', `File not found: ${id.slice(0, 100)}`)
    if (row.expires_at === null || row.expires_at > this.#now()) return row
    throw apiError('not_found_error', `File has expired: ${id}`, { error_code: 'file_expired' })
  }

  /** A page of files, newest first, and whether there are more in its direction. */
  page(workspace: string, page: Page): Promise<{ data: FileRow[]; hasMore: boolean }> {
    const where = 'workspace = :workspace AND is_ready = 1 AND (expires_at IS NULL OR expires_at > :now)'
    const values = { workspace, now: this.#now() }
    return pageById<FileRow>(this.#db, { doing: 'read the files', table: 'file', columns, where, values }, page)
  }

  /** The files with these ids, as far as they exist. */
  known(workspace: string, ids: readonly string[]): Promise<FileRow[]> {
    const given = JSON.stringify(ids.map((id) => ({ id })))
    return this.#db.rows<FileRow>(
      'read the files',
      `SELECT ${columns} FROM %.file WHERE workspace = :workspace AND is_ready = 1
         AND (expires_at IS NULL OR expires_at > :now) AND id IN (SELECT row.id FROM json_rows(:given, id text))`,
      { workspace, now: this.#now(), given },
    )
  }

  async #totals(workspace: string): Promise<Totals> {
    const sql = 'SELECT count(*) AS files, coalesce(sum(bytes), 0) AS bytes FROM %.file WHERE workspace = :workspace'
    const [row] = await this.#db.rows<Totals>('count the files', sql, { workspace })
    return row!
  }

  /** The bytes of a file, part by part. */
  read(file: FileRow): AsyncIterable<Uint8Array> {
    return this.#bytes.read(file)
  }

  /** Deletes a file, its bytes first: what is left after an error can be deleted again. */
  async remove(id: string): Promise<void> {
    await this.#undo(id, id)
  }

  /** @param stored the id under which the bytes may be stored. */
  async #undo(id: string, stored: string): Promise<void> {
    await this.#bytes.remove(stored)
    await this.#forget(id)
  }

  async #forget(id: string): Promise<void> {
    await this.#db.rows('delete the file', 'DELETE FROM %.file WHERE id = :id', { id })
  }

  /** Deletes files that have expired a day ago, and uploads that were cut. */
  async #clean(): Promise<void> {
    const sql = 'SELECT id FROM %.file WHERE expires_at < :before OR (is_ready = 0 AND created_at < :before)'
    const old = await this.#db.rows<{ id: string }>('read the files', sql, { before: this.#now() - dayMs })
    for (const { id } of old) await this.remove(id)
  }
}

/** The bytes as rows of base64, so that every server on a database has them. */
class StoredBytes implements FileBytes {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  async add({ id }: FileRow, bytes: Uint8Array): Promise<string> {
    for (let at = 0; at < bytes.length; at += partBytes) {
      const data = encodeBase64(bytes.subarray(at, at + partBytes))
      const sql = 'INSERT INTO %.file_part (file, start_at, data) VALUES (:id, :at, :data)'
      await this.#db.rows('add the file', sql, { id, at, data })
    }
    return id
  }

  async *read({ id, bytes }: FileRow): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes; at += partBytes) {
      const sql = 'SELECT data FROM %.file_part WHERE file = :id AND start_at = :at'
      const [row] = await this.#db.rows<{ data: string }>('read the file', sql, { id, at })
      if (!row) throw apiError('not_found_error', `File not found: ${id}`)
      yield decodeBase64(row.data)
    }
  }

  async remove(id: string): Promise<void> {
    await this.#db.rows('delete the file', 'DELETE FROM %.file_part WHERE file = :id', { id })
  }
}

function quotaError({ files, bytes }: Totals): Error {
  const message = `File storage is full: a workspace may have ${files} files and ${bytes} bytes. Delete files first`
  return apiError('invalid_request_error', message, { error_code: 'storage_quota_exceeded' })
}

/** Bytes as base64. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192))
  return btoa(binary)
}

function decodeBase64(data: string): Uint8Array<ArrayBuffer> {
  const binary = atob(data)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
  return bytes
}
