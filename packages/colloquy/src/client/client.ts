import { BaseAnthropic } from './base-anthropic.ts'
import { codeErrors } from './request/codes/code-errors.ts'
import { Beta, type Beta as BetaResource } from './resources/beta.ts'
import * as betaNames from './names/namespaces/beta.ts'
import { Files, type Files as FilesResource } from './resources/files.ts'
import { Messages, type Messages as MessagesResource } from './resources/messages.ts'
import { Models, type Models as ModelsResource } from './resources/models.ts'
import * as fileNames from './names/namespaces/files.ts'
import * as messageNames from './names/namespaces/messages.ts'
import * as modelNames from './names/namespaces/models.ts'
import * as paramNames from './names/params.ts'
import type * as options from './options.ts'
import type * as request from './request/options.ts'
import type * as pages from './resources/page.ts'
import * as types from './types.ts'

// They add the other types to the namespace below.
export type * from './names/root/errors.ts'
export type * from './names/root/messages.ts'
export type * from './names/root/toolsets.ts'

/**
 * A client of the Messages API. `new Anthropic()` takes the key from `ANTHROPIC_API_KEY`. Options that are misspelt or make no
 * sense are an `AnthropicError` at once; a missing key is one when the first request is made.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const client = new Anthropic({ timeout: 60_000, maxRetries: 3 }) // the key is in ANTHROPIC_API_KEY
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const stream = client.messages.stream({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * for await (const event of stream)
 *   if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') process.stdout.write(event.delta.text)
 * console.log(await stream.finalText()) // 6 * 7 = 42
 * ```
 */
export class Anthropic extends BaseAnthropic {
  readonly messages: Messages = new Messages(this)
  readonly models: Models = new Models(this)
  readonly files: Files = new Files(this)
  readonly beta: Beta = new Beta(this)

  static {
    // Assigned, because the namespace below declares the names.
    Object.assign(this, { Anthropic: this, Messages, Models, Files, Beta })
    for (const resource of [Messages, Files, Beta]) Object.assign(resource, codeErrors)
  }
}

/** The words of the API as types: `Anthropic.MessageParam`, or `Anthropic.Messages.MessageParam`. */
export declare namespace Anthropic {
  export import Messages = messageNames
  export type Messages = MessagesResource
  export import Beta = betaNames
  export type Beta = BetaResource
  export import Models = modelNames
  /** The methods of `client.models`. */
  export type Models = ModelsResource
  export import Files = fileNames
  /** The methods of `client.files`. */
  export type Files = FilesResource
  export import Tool = types.Tool
  export type FinalRequestOptions = request.FinalRequestOptions
  export type ApiKeySetter = options.ApiKeySetter
  export type ClientOptions = options.ClientOptions
  export type RequestOptions = request.RequestOptions
  export import BatchCreateParams = types.BatchCreateParams
  export import MessageCreateParams = paramNames.MessageCreateParams
  export import RawMessageDeltaEvent = types.RawMessageDeltaEvent
  export import WebSearchTool20250305 = types.WebSearchTool20250305
  export import WebSearchTool20260209 = types.WebSearchTool20260209
  export type Page<Item> = pages.Page<Item>
  export type PageResponse<Item> = types.ListPage<Item>
  export type PageCursor<Item> = pages.Page<Item>
  export type PageCursorParams = types.PageCursorParams
  export type PageCursorResponse<Item> = types.PageCursorResponse<Item>
}
