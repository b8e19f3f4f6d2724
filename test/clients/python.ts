import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Found, outside, reasonOf } from '../runtimes/downloads.ts'

const packages = ['anthropic==2.14.0', 'pytest==9.2.0']

/** Looks for a Python with the official client and pytest, and fetches them on request. */
export function findPython(): Found {
  const folder = join(outside, 'python-anthropic-2.14.0')
  const program = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  if (existsSync(join(folder, 'complete'))) return { program, skip: false }
  if (process.env['COLLOQUY_RUNTIMES'] !== 'fetch')
    return { program: undefined, skip: 'NOT TESTED: the Python client is not here; COLLOQUY_RUNTIMES=fetch fetches it' }
  try {
    install(folder, program)
    return { program, skip: false }
  } catch (error) {
    return { program: undefined, skip: `NOT TESTED: the Python client cannot be had: ${reasonOf(error)}` }
  }
}

/** Makes a virtual environment. It cannot be moved, so that a mark tells whether it is complete. */
function install(folder: string, program: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(outside, { recursive: true })
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' })
  execFileSync(program, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], {
    stdio: 'pipe',
  })
  mkdirSync(join(folder, 'complete'))
}
