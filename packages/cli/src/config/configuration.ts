import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '../exit.ts'
import { filePaths } from '../file-paths.ts'
import type { Environment } from '../flags.ts'
import { programName } from '../terminal/program-name.ts'
import { isObject, readJsonFile } from './json-file.ts'
import { isOutside, namedFile, withPlace } from './named-file.ts'
import { checkSetting, settingOf, settings, type Setting } from './settings.ts'

/** The name of a project's configuration, in its folder or one above the current one. */
const projectFile = '.colloquy.json'

/** A value and the place that it comes from. */
export interface Configured {
  value: string
  /** `COLLOQUY_MODEL`, a file, `profile NAME in FILE`, or `default`. */
  origin: string
}

/** The environment and folder in which the configuration is looked for. */
export interface Place {
  env?: Environment
  folder?: string
  /** The value of `--profile`. */
  profile?: string | undefined
}

/**
 * The settings of the user, by their names. A variable of the environment comes before the project's file, then the profile,
 * then the user's file. Throws a `UsageError` that names the file for a mistake in it.
 */
export async function configuration({ env = process.env, folder = process.cwd(), profile }: Place = {}): Promise<
  Map<string, Configured>
> {
  const user = await userLayer(env)
  const project = await layerOf(projectPath(folder), false)
  const chosen = profile ?? (env['COLLOQUY_PROFILE'] || user.values.get('profile')?.value)
  const layers = [environmentLayer(env), project.values, profileLayer(user, chosen), user.values]
  const found = new Map<string, Configured>()
  for (const { name } of settings) {
    const value = layers.map((layer) => layer.get(name)).find((each) => each !== undefined)
    if (value !== undefined) found.set(name, value)
  }
  return found
}

/** The names of the user's profiles. */
export async function profileNames(env: Environment = process.env): Promise<string[]> {
  return [...(await userLayer(env)).profiles.keys()]
}

type Layer = ReadonlyMap<string, Configured>

interface FileLayer {
  path: string | undefined
  values: Layer
  profiles: ReadonlyMap<string, Layer>
}

function environmentLayer(env: Environment): Layer {
  const layer = new Map<string, Configured>()
  for (const { name, variables = [] } of settings) {
    const variable = variables.find((each) => env[each])
    if (variable !== undefined) layer.set(name, { value: env[variable]!, origin: variable })
  }
  return layer
}

function profileLayer({ path, profiles }: FileLayer, name: string | undefined): Layer {
  if (name === undefined) return new Map()
  const layer = profiles.get(name)
  if (layer !== undefined) return layer
  const names = [...profiles.keys()].join(', ') || 'none'
  throw new UsageError(`No profile ${name} in ${path ?? filePaths().config}: found ${names}`)
}

function projectPath(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, projectFile)
    if (existsSync(path)) return path
    if (dirname(at) === at) return undefined
  }
}

/** The user's file, which need not exist unless `COLLOQUY_CONFIG` names it. */
async function userLayer(env: Environment): Promise<FileLayer> {
  const path = filePaths(env).config
  if (env['COLLOQUY_CONFIG'] && !existsSync(path)) {
    const hint = `${programName} config set NAME VALUE creates it.`
    throw new UsageError(`Cannot read ${path}, which COLLOQUY_CONFIG names: there is no such file. ${hint}`)
  }
  return layerOf(path, true)
}

async function layerOf(path: string | undefined, isUsers: boolean): Promise<FileLayer> {
  if (path === undefined || !existsSync(path)) return { path: undefined, values: new Map(), profiles: new Map() }
  const { profiles: given = {}, ...values } = objectIn(await readJsonFile(path), path)
  const profiles = objectIn(given, `profiles in ${path}`)
  const folder = dirname(path)
  if (!isUsers && Object.keys(profiles).length > 0) {
    throw new UsageError(`Cannot use profiles in ${path}: only your own file ${filePaths().config} may have them`)
  }
  const layers = await Promise.all(
    Object.entries(profiles).map(async ([name, profile]) => {
      const origin = `profile ${name} in ${path}`
      return [name, await valuesOf(objectIn(profile, origin), { origin, folder, isUsers })] as const
    }),
  )
  return { path, values: await valuesOf(values, { origin: path, folder, isUsers }), profiles: new Map(layers) }
}

/** The object of settings that is being read. */
interface Source {
  /** The file, or `profile NAME in FILE`. */
  origin: string
  /** The folder of the file. */
  folder: string
  /** Whether the file is the user's own. */
  isUsers: boolean
}

async function valuesOf(object: Record<string, unknown>, source: Source): Promise<Layer> {
  const { origin } = source
  const layer = new Map<string, Configured>()
  for (const [name, value] of Object.entries(object)) {
    if (name === '$schema') continue
    const setting = await settingOf(name, ` in ${origin}`)
    layer.set(name, { value: textIn(setting, value, source), origin })
  }
  return layer
}

function textIn(setting: Setting, value: unknown, { origin, folder, isUsers }: Source): string {
  // A model file is an engine.
  const isPersonal = setting.isPersonal || (setting.name === 'model' && String(value).endsWith('.gguf'))
  if (isPersonal && !isUsers) {
    throw new UsageError(`Cannot use ${setting.name} in ${origin}: only your own file ${filePaths().config} may set it`)
  }
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new UsageError(`Cannot use ${setting.name} in ${origin}: it must be a text or a number`)
  }
  checkSetting(setting, String(value), ` in ${origin}`)
  const placed = withPlace(setting.name, String(value), folder)
  const path = namedFile(setting.name, placed)
  // The folder of a stranger must not choose which file of the user is sent.
  if (!isUsers && path !== undefined && isOutside(folder, path))
    throw new UsageError(`Cannot use ${setting.name} in ${origin}: ${path} is outside of its folder`)
  return placed
}

/** The value of a file, or of a place in it, if it is an object. Throws a `UsageError` that names the place. */
export function objectIn(value: unknown, place: string): Record<string, unknown> {
  if (isObject(value)) return value
  throw new UsageError(`Cannot use ${place}: it must be an object, such as {"model": "claude-opus-5-5"}`)
}
