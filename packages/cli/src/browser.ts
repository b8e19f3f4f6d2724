import { spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { filePaths, makeFolder } from './file-paths.ts'
import { escapeHtml } from './markdown/html/escape.ts'

/**
 * Opens an address in the browser of the desktop. False if there is none, or it cannot be started.
 *
 * Other users of the machine can read the arguments of a process. So the browser is given a page that only this user can
 * read, which leads to the address with its token.
 */
export async function openBrowser(url: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const command = browserCommand(process.platform, env)
  if (command === undefined) return false
  const [program, ...parameters] = command
  const child = spawn(program!, [...parameters, writeLink(url, env)], { stdio: 'ignore', detached: true })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  child.on('error', () => resolve(false))
  child.on('spawn', () => resolve(true))
  child.unref()
  return promise
}

/** Writes a page that leads to the address. Returns its path. */
function writeLink(url: string, env: NodeJS.ProcessEnv): string {
  const folder = dirname(filePaths(env).secret)
  makeFolder(folder, { mode: 0o700 })
  const path = join(folder, 'open-page.html')
  const page = `<!doctype html><title>Colloquy</title><meta http-equiv="refresh" content="0;url=${escapeHtml(url)}">\n`
  writeFileSync(path, page, { mode: 0o600 })
  // The mode of a file that was there stays as it is.
  chmodSync(path, 0o600)
  return path
}

/** The program that opens a page. Undefined on a machine without a desktop. */
function browserCommand(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string[] | undefined {
  if (env['BROWSER']) return [env['BROWSER']]
  if (platform === 'darwin') return ['open']
  // The empty word is the title of the window.
  if (platform === 'win32') return ['cmd', '/c', 'start', '""']
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? ['xdg-open'] : undefined
}
