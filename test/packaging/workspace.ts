import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { cache } from '../runtimes/downloads.ts'
import { install, packAll } from '../runtimes/packed.ts'
import { root } from '../source.ts'

const scratch = mkdtempSync(join(tmpdir(), 'colloquy-packaging-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const [library] = await packAll(scratch)
const installed = join(install(join(scratch, 'project'), [library!.tarball]), 'node_modules/colloquy')

export const programs: string = join(root, 'test/packaging/programs')

/** Creates a project beside a build tool, with the packed library installed. Removed after the tests of the file. */
export function newProject(tool: string = cache): string {
  const folder = tool === cache ? cache : tool.slice(0, tool.lastIndexOf('node_modules'))
  mkdirSync(folder, { recursive: true })
  const project = mkdtempSync(join(folder, 'project-'))
  after(() => rmSync(project, { recursive: true, force: true }))
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  cpSync(installed, join(project, 'node_modules/colloquy'), { recursive: true })
  return project
}

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
