import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../source.ts'

export const programs: string = join(root, 'test/packaging/programs')

/** Writes files by their path in the project. */
export function write(project: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    writeFileSync(join(project, path), text)
  }
}

/** Runs a JavaScript program in the project and returns its output. Throws its whole output if it fails. */
export function run(project: string, program: string, ...parameters: string[]): string {
  try {
    return execFileSync(process.execPath, [program, ...parameters], {
      cwd: project,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${stdout}${stderr}`, { cause: error })
  }
}
