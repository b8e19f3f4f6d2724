// The names under `Anthropic.Beta.Files`.
export type {
  DeletedFile as BetaDeletedFile,
  FileDeleteParams,
  FileDownloadParams,
  FileListParams,
  FileMetadata as BetaFileMetadata,
  FileMetadataPageCursor as BetaFileMetadataPageCursor,
  FileRetrieveMetadataParams,
  FileUploadParams,
} from '../files.ts'
export type { FileScope as BetaFileScope } from '../../../protocol/types/resources/file.ts'
