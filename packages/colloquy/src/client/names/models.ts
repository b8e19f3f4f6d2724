// The names under `Anthropic.Models`.
import type { ModelCapabilities, ModelInfo } from '../../protocol/models/model-info.ts'
import type { Page } from '../resources/page.ts'

export type * from '../../protocol/models/model-info.ts'
export type { ModelListParams, ModelRetrieveParams } from '../resources/models.ts'

export type ModelInfosPage = Page<ModelInfo>
export type ModelLine = NonNullable<ModelInfo['line']>
export type ContextManagementCapability = ModelCapabilities['context_management']
export type EffortCapability = ModelCapabilities['effort']
export type ServerToolsCapability = ModelCapabilities['server_tools']
export type ThinkingCapability = ModelCapabilities['thinking']
export type ThinkingTypes = ThinkingCapability['types']
