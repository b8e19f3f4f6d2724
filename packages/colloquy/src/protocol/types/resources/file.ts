/** A file that was uploaded, to be named in messages by its id. */
export interface FileMetadata {
  id: string
  type: 'file'
  filename: string
  mime_type: string
  size_bytes: number
  /** RFC 3339, like the other times. */
  created_at: string
  /** Whether `download()` returns it: only files that tools or skills made. */
  downloadable?: boolean
  expires_at?: string | null
  scope?: FileScope | null
}

/** The session that a file belongs to. */
export interface FileScope {
  id: string
  type: 'session'
}

/** The response to deleting a file. */
export interface DeletedFile {
  id: string
  type?: 'file_deleted'
}
