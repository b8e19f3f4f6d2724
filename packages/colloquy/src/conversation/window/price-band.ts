import { priceAt } from '../../protocol/models/cost.ts'
import { findModel } from '../../protocol/models/models.ts'

/** The longest prompt at the model's lowest price per token, as of today. Infinity if the length does not matter. */
export function longestAtLowestPrice(model: string): number {
  const entry = findModel(model)
  return (entry && priceAt(entry, new Date())?.bands[1]?.abovePromptTokens) ?? Infinity
}
