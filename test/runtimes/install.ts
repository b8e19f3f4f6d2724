import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from '../../scripts/pack.ts'

/** Creates a project in a new folder and installs the packages as a user does. */
export function install(folder: string, tarballs: readonly string[]): string {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  npm(folder, 'install', ...tarballs)
  return folder
}

/** Runs `npm install --global` into another folder. Returns the folder of the programs. */
export function installGlobally(folder: string, tarballs: readonly string[]): string {
  mkdirSync(folder)
  npm(folder, 'install', '--global', '--prefix', folder, ...tarballs)
  return process.platform === 'win32' ? folder : join(folder, 'bin')
}
