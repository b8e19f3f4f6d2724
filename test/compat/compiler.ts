import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../source.ts'

/** Type-checks a program that imports `colloquy` and the official client. Returns the errors in it, one a line. */
export async function typeErrors(program: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-types-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    mkdirSync(join(folder, 'src'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'src/program.ts'), program)
    const compilerOptions = { exactOptionalPropertyTypes: false, isolatedDeclarations: false, declaration: false }
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['src/*.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const output = await compilerOutput(folder)
    return output.split('\n').filter((line) => /^(\S*src\/program\.ts\(.*: )?error TS/.test(line))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * Compiles the project in a folder. Returns what the compiler prints: nothing if it has no errors. By default the compiler has
 * four threads, and several check the same types: one takes a third less processor time.
 */
export async function compilerOutput(folder: string): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const words = [tsc, '-p', folder, '--pretty', 'false', '--checkers', '1']
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 2 ** 26 }).catch((error) => error)
  return String(stdout)
}
