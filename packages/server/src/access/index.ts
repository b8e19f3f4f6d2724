export { type SpentBudget, readSpending } from './key-spending.ts'
export { keyObject } from './key-object.ts'
export { KeyError } from './keys/key-error.ts'
export { type KeyOptions, type KeyRecord, type NewKey, Keys } from './keys/keys.ts'
export { allowsModel, type KeyBudget, type KeyLimits, type KeySettings } from './keys/settings.ts'
export { type AccessOptions, type StoreAccess, openAccess } from './open-access.ts'
export { type LedgerOptions, Ledger } from '../ledger/ledger.ts'
export type { DeadInstance } from '../ledger/recover.ts'
export { charged } from '../ledger/metering/charged.ts'
export { type MeteredRequest, metered } from '../ledger/metering/metered.ts'
export {
  type LedgerEntry,
  type PricedRow,
  type Pricing,
  type RequestOrigin,
  type RequestRow,
  requestRow,
} from '../ledger/request-row.ts'
export { type RequestsQuery, findRequest, listRequests } from '../ledger/reports/requests.ts'
export { type Repriced, reprice } from '../ledger/reports/reprice.ts'
export {
  type Grouping,
  type Percentiles,
  type Usage,
  type UsageFilter,
  type UsageQuery,
  type UsageRow,
  groupings,
  nearestUse,
  readUsage,
} from '../ledger/reports/usage.ts'
export type { UsageSums } from '../ledger/totals.ts'
export { requestObject, usageFrom, usageObject } from '../ledger/reports/wire.ts'
export type { Account } from '../ledger/accounts.ts'
export type { Flight } from '../ledger/write-batch.ts'
