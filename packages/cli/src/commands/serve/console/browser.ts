import { spawn } from 'node:child_process'

/** Opens an address in the browser of the desktop. False if there is none, or it cannot be started. */
export async function openBrowser(url: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const command = browserCommand(process.platform, env)
  if (command === undefined) return false
  const [program, ...parameters] = command
  const child = spawn(program!, [...parameters, url], { stdio: 'ignore', detached: true })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  child.on('error', () => resolve(false))
  child.on('spawn', () => resolve(true))
  child.unref()
  return promise
}

/** The program that opens an address. Undefined on a machine without a desktop. */
function browserCommand(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string[] | undefined {
  if (env['BROWSER']) return [env['BROWSER']]
  if (platform === 'darwin') return ['open']
  // The empty word is the title of the window.
  if (platform === 'win32') return ['cmd', '/c', 'start', '""']
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? ['xdg-open'] : undefined
}
