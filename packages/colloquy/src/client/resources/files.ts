import type { DeletedFile, FileMetadata } from '../../protocol/types/resources/file.ts'
import type { APIPromise } from '../request/api-promise.ts'
import { requestTo, type RequestOptions } from '../request/options.ts'
import { type HeaderParams, headersOf, optionsWith, pathOf, splitHeaderParams } from '../request/request.ts'
import type { ToFileInput, ToFileOptions, Uploadable } from '../request/on-demand/to-file.ts'
import type { PagePromise } from './page.ts'
import { Resource } from './resource.ts'
import { requestObject } from './resource-client.ts'

/** The parameters of `files.list()`. */
export interface FileListParams extends HeaderParams {
  /** 1 to 1000. Default 20. */
  limit?: number
  /** The `next_page` of the page before. */
  page?: string | null
  /** Only the files with these ids. */
  ids?: string[] | null
  scope_id?: string
}

/** The parameters of `files.upload()`. */
export interface FileUploadParams extends HeaderParams {
  /** A file, a response or a stream of a file; other bytes through `toFile()`. */
  file: Uploadable | PromiseLike<Uploadable>
  /** Seconds until the API deletes the file. Default: it is kept. */
  expires_in_seconds?: number
}

/** The parameters of `files.delete()`. */
export type FileDeleteParams = HeaderParams
/** The parameters of `files.download()`. */
export type FileDownloadParams = HeaderParams
/** The parameters of `files.retrieveMetadata()`. */
export type FileRetrieveMetadataParams = HeaderParams

const path = '/v1/files'

/**
 * `client.files` and `client.beta.files`: files that messages name by their ids.
 *
 * @example
 * ```ts
 * import Anthropic, { toFile } from 'colloquy'
 *
 * const client = new Anthropic()
 * const file = await client.beta.files.upload({ file: await toFile('The lamp was lit at dusk.', 'diary.txt') })
 * const content: Anthropic.ContentBlockParam[] = [
 *   { type: 'document', source: { type: 'file', file_id: file.id } },
 *   { type: 'text', text: 'Summarize the diary.' },
 * ]
 * await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user', content }] })
 * ```
 */
export class Files extends Resource {
  /** Uploads a file, which is read to its end before it is sent. */
  upload(params: FileUploadParams, options?: RequestOptions | null): APIPromise<FileMetadata> {
    const [fields, settled] = splitHeaderParams(params, options)
    const body = async (): Promise<FormData> => (await import('../request/on-demand/web-body.ts')).formOf(fields)
    return requestObject(this.client, 'post', path, { ...settled, body })
  }

  /** The files, newest first. A loop over the result requests further pages. */
  list(params?: FileListParams | null, options?: RequestOptions | null): PagePromise<FileMetadata> {
    return this.client.list(path, ...splitHeaderParams(params, options))
  }

  /** Retrieves the metadata of a file, without its content. */
  retrieveMetadata(
    id: string,
    params?: FileRetrieveMetadataParams | null,
    options?: RequestOptions | null,
  ): APIPromise<FileMetadata> {
    return requestObject(this.client, 'get', pathOf(path, id), optionsWith(params, options))
  }

  /** The content of a file that a tool or skill made, as a `Response` whose body is not yet read. */
  download(id: string, params?: FileDownloadParams | null, options?: RequestOptions | null): APIPromise<Response> {
    const headers = { accept: 'application/binary', ...headersOf(options) }
    const settled = optionsWith(params, { ...options, headers })
    return this.client.sendRequest(requestTo('get', pathOf(path, id, '/content'), settled), async (response) =>
      response.response(),
    )
  }

  /** Deletes a file. */
  delete(id: string, params?: FileDeleteParams | null, options?: RequestOptions | null): APIPromise<DeletedFile> {
    return requestObject(this.client, 'delete', pathOf(path, id), optionsWith(params, options))
  }
}

/**
 * Makes a `File` of bytes, text, a `Blob`, a `Response` or a stream, which it reads to its end. The name defaults to the
 * last part of the value's own `name`, `url`, `filename` or `path`, or else to `unknown_file`; the media type defaults to the
 * value's own.
 *
 * @example
 * ```ts
 * import { toFile } from 'colloquy'
 *
 * const { name, size } = await toFile('The lamp was lit at dusk.', 'diary.txt', { type: 'text/plain' })
 * console.log(name, size) // diary.txt 25
 * ```
 */
export async function toFile(
  value: ToFileInput | PromiseLike<ToFileInput>,
  name?: string | null,
  options?: ToFileOptions,
): Promise<File> {
  const { makeFile } = await import('../request/on-demand/web-body.ts')
  return makeFile(value, name, options)
}
