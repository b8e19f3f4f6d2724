// The names under `Anthropic.Models`.
import type { ModelCapabilities, ModelInfo } from '../../protocol/types/resources/model.ts'
import type { Page } from '../resources/page.ts'

export type * from '../../protocol/types/resources/model.ts'
export type { ModelListParams, ModelRetrieveParams } from '../resources/models.ts'

export type ModelInfosPage = Page<ModelInfo>
/** The line of a model: haiku, sonnet, opus and others. */
export type ModelLine = NonNullable<ModelInfo['line']>
/** The context edits that a model supports. */
export type ContextManagementCapability = ModelCapabilities['context_management']
/** The values of effort that a model supports. */
export type EffortCapability = ModelCapabilities['effort']
/** The server tools that a model supports. */
export type ServerToolsCapability = ModelCapabilities['server_tools']
/** The thinking that a model supports. */
export type ThinkingCapability = ModelCapabilities['thinking']
/** The types of thinking that a model supports. */
export type ThinkingTypes = ThinkingCapability['types']
