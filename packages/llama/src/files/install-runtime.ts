import { execFile } from 'node:child_process'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { AnthropicError } from 'colloquy/protocol'
import { hasRuntime, runtimeVersion } from '../model/runtime.ts'
import { isDiskFull } from './download.ts'

const run = promisify(execFile)

/** The package with the binaries of a platform, for the processor alone. */
const binaries: Record<string, string> = {
  'linux-x64': '@node-llama-cpp/linux-x64',
  'linux-arm64': '@node-llama-cpp/linux-arm64',
  'darwin-arm64': '@node-llama-cpp/mac-arm64-metal',
  'darwin-x64': '@node-llama-cpp/mac-x64',
  'win32-x64': '@node-llama-cpp/win-x64',
  'win32-arm64': '@node-llama-cpp/win-arm64',
}

/** The name of a platform, such as `linux-x64`. Binaries for glibc do not start on Alpine, whose C library is musl. */
export function platformName(platform: string, arch: string, glibc: string | undefined): string {
  return platform === 'linux' && glibc === undefined ? `linux-${arch}-musl` : `${platform}-${arch}`
}

/** The version of glibc that runs this process. Undefined with musl, and on other systems. */
function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime
}

/** About what the installation takes: 66 MB are fetched. */
export const runtimeBytes = 85_000_000

/**
 * Installs node-llama-cpp into a folder of its own, with the binaries of this platform's processor alone: with those for all
 * graphics cards it would take 725 MB instead of 85.
 *
 * @example
 * ```ts
 * import { installRuntime, llama } from '@colloquy/llama'
 *
 * await installRuntime('runtime') // 85 MB; nothing if it is there
 * const engine = llama({ model: 'model.gguf', runtimeFolder: 'runtime' })
 * console.log(typeof engine) // function
 * ```
 */
export async function installRuntime(folder: string, signal?: AbortSignal): Promise<void> {
  if (hasRuntime(folder)) return
  const platform = platformName(process.platform, process.arch, glibcVersion())
  const binary = binaries[platform]
  if (binary === undefined)
    throw new AnthropicError(`Cannot run models on ${platform}: node-llama-cpp has no binaries for it.`)
  // Another folder until it is complete, so that an installation that is cut off leaves nothing that looks whole.
  const partial = `${folder}.part-${process.pid}`
  await mkdir(partial, { recursive: true })
  try {
    await writeFile(join(partial, 'package.json'), '{"private":true}')
    const packages = [`node-llama-cpp@${runtimeVersion}`, `${binary}@${runtimeVersion}`]
    const parameters = [
      'install',
      '--omit=optional',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      '--loglevel=error',
      // A registry that cannot be reached must not hold up the first start.
      '--fetch-retries=0',
      ...packages,
    ]
    const windows = process.platform === 'win32'
    await run(windows ? 'npm.cmd' : 'npm', parameters, { cwd: partial, shell: windows, ...(signal && { signal }) })
    await mkdir(dirname(folder), { recursive: true })
    await rm(folder, { recursive: true, force: true })
    await rename(partial, folder)
  } catch (error) {
    if (signal?.aborted) throw error
    if (hasRuntime(folder)) return
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    const found = code === 'ENOENT' ? 'npm is not installed.' : (reasonIn(stderr) ?? String(error))
    throw new AnthropicError(`Cannot install node-llama-cpp: ${found}`, { cause: error as Error })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

/** The reason in the output of npm. Before it are lines with codes. */
function reasonIn(output = ''): string | undefined {
  if (isDiskFull(output)) return 'there is no space left on the disk.'
  const lines = output.split('\n').map((line) => line.replace(/^npm error /i, '').trim())
  return lines.find((line) => line !== '' && !/^(?:code|errno|syscall) /.test(line))
}
