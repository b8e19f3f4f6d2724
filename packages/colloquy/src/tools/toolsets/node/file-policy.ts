import { existsSync, lstatSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { FilePolicy, URLContext } from '../browser/options.ts'
import { ToolsetConfigError, UploadRefusedError } from '../errors.ts'
import { checkUploadPath, isInside, seemsInside, isReallyInside } from './paths.ts'

/** The files that a browser may upload and the model may see. */
export interface NodeFilePolicyOptions {
  /** Files in these folders may be uploaded. Default none. */
  uploadRoots?: readonly string[] | undefined
  /** The folder into which the browser downloads. It must be outside of `uploadRoots`. */
  downloadDir?: string | undefined
  /** Whether the model may see the paths of files in `downloadDir`. Default false. */
  exposeDownloadPaths?: boolean | undefined
  /** Ids of files that were uploaded to the API, which may be uploaded to pages. Default none. */
  uploadDocumentIds?: readonly string[] | undefined
}

/**
 * A file policy by folders. Symbolic links are followed before a path is compared, and `..` is refused. Throws a
 * `ToolsetConfigError` for folders that contain each other, as a page could then download a file and have it uploaded.
 *
 * @example
 * ```ts
 * import { NodeFilePolicy } from 'colloquy/tools/toolsets/node'
 *
 * const policy = new NodeFilePolicy({ uploadRoots: ['outbox'], downloadDir: 'downloads' })
 * console.log(await policy.isPathVisible('downloads/report.pdf')) // false
 * ```
 */
export class NodeFilePolicy implements FilePolicy {
  readonly uploadRoots: readonly string[]
  readonly downloadDir: string | undefined
  readonly exposeDownloadPaths: boolean
  readonly uploadDocumentIds: ReadonlySet<string>

  constructor(options: NodeFilePolicyOptions = {}) {
    const { uploadRoots = [], downloadDir, exposeDownloadPaths, uploadDocumentIds = [] } = options
    // Paths are made absolute here, as the working directory may change.
    this.uploadRoots = uploadRoots.map((root) => folderOf('uploadRoots', root))
    this.downloadDir = downloadDir === undefined ? undefined : folderOf('downloadDir', downloadDir)
    this.exposeDownloadPaths = exposeDownloadPaths === true
    this.uploadDocumentIds = new Set(uploadDocumentIds)
    const shared = this.uploadRoots.find((root) => this.downloadDir !== undefined && overlap(root, this.downloadDir))
    if (shared !== undefined)
      throw new ToolsetConfigError(
        `downloadDir must be outside of uploadRoots, or a page could have its downloads uploaded: found ${downloadDir} and ${shared}`,
      )
  }

  async resolveUploadPaths(_: URLContext, paths: string[]): Promise<string[]> {
    const found: string[] = []
    for (const path of paths) found.push(await checkUploadPath(path, this.uploadRoots))
    return found
  }

  resolveUploadDocuments(_: URLContext, documentIds: string[]): string[] {
    if (!documentIds.every((id) => this.uploadDocumentIds.has(id)))
      throw new UploadRefusedError('document not in the upload allowlist')
    return [...documentIds]
  }

  async isPathVisible(path: string): Promise<boolean> {
    const { downloadDir } = this
    if (!this.exposeDownloadPaths || downloadDir === undefined || path.split(/[\\/]/).includes('..')) return false
    // A path that does not begin like the folder is not looked at, so that a page cannot find out what exists.
    return (await seemsInside(path, downloadDir)) && (await isReallyInside(path, downloadDir))
  }
}

function folderOf(option: string, path: string): string {
  if (path.trim() === '') throw new ToolsetConfigError(`${option} must name folders: found an empty text`)
  const folder = resolve(path)
  if (!existsSync(nearestEntry(folder)))
    throw new ToolsetConfigError(`${option} must not lead to a symbolic link without a target: found ${path}`)
  return folder
}

/** The path, or the nearest folder above it that is there. */
function nearestEntry(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    try {
      lstatSync(at)
      return at
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      if (!isMissing) throw new ToolsetConfigError(`Cannot use the folder ${path}`, { cause: error })
      if (at === dirname(at)) return at
    }
  }
}

/** Compares without case and form of letters, which some file systems ignore. */
function overlap(a: string, b: string): boolean {
  const [first, second] = [a, b].map((path) => path.toLowerCase().normalize('NFC')) as [string, string]
  return isInside(first, second) || isInside(second, first)
}
