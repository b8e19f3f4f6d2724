// The names under `Anthropic.Beta.Models`.
import type { ModelCapabilities } from '../models.ts'

export type {
  CapabilitySupport as BetaCapabilitySupport,
  ContextManagementCapability as BetaContextManagementCapability,
  EffortCapability as BetaEffortCapability,
  ModelCapabilities as BetaModelCapabilities,
  ModelInfo as BetaModelInfo,
  ModelInfosPage as BetaModelInfosPage,
  ModelLine as BetaModelLine,
  ModelListParams,
  ModelRetrieveParams,
  ServerToolsCapability as BetaServerToolsCapability,
  ThinkingCapability as BetaThinkingCapability,
  ThinkingTypes as BetaThinkingTypes,
} from '../models.ts'

/** Whether a model can compact a conversation. */
export type BetaCompactionCapability = NonNullable<ModelCapabilities['compaction']>
