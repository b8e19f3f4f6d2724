import type { ModelInfo } from '../../protocol/types/resources/model.ts'
import type { PageParams } from '../../protocol/types/resources/page.ts'
import type { APIPromise } from '../request/api-promise.ts'
import { Resource } from './resource.ts'
import { requestObject } from './resource-client.ts'
import { optionsWith, splitHeaderParams } from '../request/request.ts'
import type { RequestOptions } from '../request/options.ts'
import type { PagePromise } from './page.ts'
import { pathOf } from '../request/request.ts'

/** Options of `models.list()`. */
export interface ModelListParams extends PageParams {
  /** Default: `active` and `deprecated`. */
  lifecycle?: ('active' | 'deprecated' | 'retired')[]
  betas?: readonly string[]
  workspace_id?: string
}

/** Options of `models.retrieve()`. */
export interface ModelRetrieveParams {
  betas?: readonly string[]
  workspace_id?: string
}

/**
 * `client.models`
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const { display_name } = await new Anthropic().models.retrieve('claude-sonnet-4-6')
 * console.log(display_name) // Claude Sonnet 4.6
 * ```
 */
export class Models extends Resource {
  /** The models, newest first. A loop over the result requests further pages as needed. */
  list(params?: ModelListParams | null, options?: RequestOptions | null): PagePromise<ModelInfo> {
    return this.client.list('/v1/models', ...splitHeaderParams(params, options))
  }

  /** One model, by id or alias. */
  retrieve(model: string, params?: ModelRetrieveParams | null, options?: RequestOptions | null): APIPromise<ModelInfo> {
    const settled = optionsWith(params, options)
    return requestObject(this.client, 'get', pathOf('/v1/models', model), settled)
  }
}
