const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EEXIST: 'the file already exists',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'no such file or folder',
  ENOSPC: 'no space left on the disk',
  ENOTDIR: 'a part of the path is not a folder',
  EPIPE: 'its reader has ended',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ERR_FS_FILE_TOO_LARGE: 'it has more than 512 MB of text',
  ERR_STRING_TOO_LONG: 'it has more than 512 MB of text',
}

/** The reason of a failed system call, such as `no such file or folder`; of another error its message. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return reasons[code ?? ''] ?? error.message
}
