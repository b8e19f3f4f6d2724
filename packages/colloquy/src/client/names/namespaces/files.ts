// `Anthropic.Files` for TypeScript. At run time it is the class of the resource.
import type { Files } from '../../resources/files.ts'

export type * from '../files.ts'

/** The methods of `client.files`, to be replaced in tests. @public */
export declare const prototype: Files

/** @public */
export {
  FileExpiredError,
  FileNotDownloadableError,
  StorageQuotaExceededError,
} from '../../request/codes/code-errors.ts'
