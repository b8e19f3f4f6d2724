import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { cache } from '../runtimes/downloads.ts'
import { install } from '../runtimes/install.ts'
import { packedPackages } from '../packed.ts'

const scratch = mkdtempSync(join(tmpdir(), 'colloquy-packaging-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const [library] = await packedPackages()
const installed = join(install(join(scratch, 'project'), [library!.tarball]), 'node_modules/colloquy')

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
