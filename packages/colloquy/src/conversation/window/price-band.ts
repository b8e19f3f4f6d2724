import { priceAt } from '../../protocol/models/cost.ts'
import { findModel } from '../../protocol/models/models.ts'

/** The longest prompt whose tokens have the model's lowest price, as it is today; Infinity where no length raises it. */
export function longestAtLowestPrice(model: string): number {
  const entry = findModel(model)
  return (entry && priceAt(entry, new Date())?.bands[1]?.abovePromptTokens) ?? Infinity
}
