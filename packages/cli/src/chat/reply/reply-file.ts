import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { ExitCode, ExitError } from '../../exit.ts'
import { systemReason } from '../../errors/system-error.ts'

/** The file of `--out`. It is opened before the request is sent, so that no reply is paid for and then lost. */
export class ReplyFile {
  readonly #path: string
  readonly #file: number
  readonly #isNew: boolean
  #isWritten = false

  /** Throws an `ExitError` if the file cannot be written. Its content stays until `write()`. */
  constructor(path: string) {
    this.#path = path
    this.#isNew = !existsSync(path)
    try {
      this.#file = openSync(path, 'a')
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** Replaces the content. Throws an `ExitError` if the disk is full. */
  write(text: string): void {
    try {
      if (fstatSync(this.#file).isFile()) ftruncateSync(this.#file)
      writeFileSync(this.#file, text.endsWith('\n') ? text : `${text}\n`)
      this.#isWritten = true
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** Closes the file. A file that did not exist before is removed if nothing was written. */
  close(): void {
    closeSync(this.#file)
    if (this.#isNew && !this.#isWritten) rmSync(this.#path, { force: true })
  }

  #failure(error: unknown): ExitError {
    return new ExitError(ExitCode.failed, `Cannot write ${this.#path}: ${systemReason(error)}`)
  }
}
