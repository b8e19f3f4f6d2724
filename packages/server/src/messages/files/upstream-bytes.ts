import type { UpstreamFiles } from '../upstream-account.ts'
import type { FileBytes, FileRow } from './file-store.ts'

/** The bytes of files in an account of the API, so that requests which are sent on can name them. */
export class UpstreamBytes implements FileBytes {
  readonly #files: UpstreamFiles

  constructor(files: UpstreamFiles) {
    this.#files = files
  }

  async add({ name, media_type: type, created_at, expires_at }: FileRow, bytes: Uint8Array): Promise<string> {
    const file = new File([bytes as Uint8Array<ArrayBuffer>], name, { type })
    const seconds = expires_at === null ? undefined : Math.round((expires_at - created_at) / 1_000)
    return (await this.#files.upload({ file, ...(seconds !== undefined && { expires_in_seconds: seconds }) })).id
  }

  async *read({ id }: FileRow): AsyncGenerator<Uint8Array> {
    const { body } = await this.#files.download(id)
    if (body) yield* body
  }

  async remove(id: string): Promise<void> {
    try {
      await this.#files.delete(id)
    } catch (error) {
      // Deleted before, or expired.
      if ((error as { status?: unknown }).status !== 404) throw error
    }
  }
}
