// The names under `Anthropic.Files`.
import type { FileMetadata } from '../../protocol/types/resources/file.ts'
import type { Page } from '../resources/page.ts'

export type { DeletedFile, FileMetadata } from '../../protocol/types/resources/file.ts'
export type {
  FileDeleteParams,
  FileDownloadParams,
  FileListParams,
  FileRetrieveMetadataParams,
  FileUploadParams,
} from '../resources/files.ts'
export type {
  FileExpiredError,
  FileNotDownloadableError,
  StorageQuotaExceededError,
} from '../request/codes/code-errors.ts'
export type {
  FileExpiredErrorDetails,
  FileNotDownloadableErrorDetails,
  StorageQuotaExceededErrorDetails,
} from '../request/codes/details.ts'
export type FileMetadataPageCursor = Page<FileMetadata>
