import { configuration } from '../../config/configuration.ts'
import { withPlace } from '../../config/named-file.ts'
import { checkSetting, settingOf, settings } from '../../config/settings.ts'
import { writeSetting } from '../../config/write-setting.ts'
import { ExitCode, UsageError } from '../../exit.ts'
import { filePaths } from '../../file-paths.ts'
import type { Flags } from '../../flags.ts'
import { writeJson, writeLine } from '../../terminal/output.ts'
import { programName } from '../../terminal/program-name.ts'

/** Runs `colloquy config list`: each setting in force, with `--origin` where it comes from. */
export async function list(_words: readonly string[], flags: Flags): Promise<number> {
  const found = await configuration({ profile: flags.text('profile') })
  const rows = settings.map(({ name, otherwise, about }) => {
    const { value, origin } = found.get(name) ?? { value: otherwise, origin: 'default' }
    return { name, value, origin, about }
  })
  if (flags.has('json')) writeJson(rows, 2)
  else for (const line of linesOf(rows, flags.has('origin'))) writeLine(line)
  return ExitCode.ok
}

interface Row {
  name: string
  value: string | undefined
  origin: string
  about: string
}

function linesOf(rows: readonly Row[], hasOrigin: boolean): string[] {
  const valueOf = ({ value }: Row): string => value?.split('\n')[0]!.slice(0, 40) ?? '—'
  const width = Math.max(...rows.map((row) => valueOf(row).length))
  return rows.map((row) => {
    return `${row.name.padEnd(11)} ${valueOf(row).padEnd(width)}  ${hasOrigin ? row.origin : row.about}`
  })
}

/** Runs `colloquy config get NAME`. The exit code is 1 if the setting has no value. */
export async function get([name]: readonly string[], flags: Flags): Promise<number> {
  if (name === undefined) throw new UsageError(`Cannot get: give a setting. ${programName} config list shows them`)
  const setting = await settingOf(name)
  const value = (await configuration({ profile: flags.text('profile') })).get(name)?.value ?? setting.otherwise
  if (value === undefined) return ExitCode.failed
  writeLine(value)
  return ExitCode.ok
}

/** Runs `colloquy config set NAME VALUE`, with `--profile` in that profile. */
export async function set([name, ...words]: readonly string[], flags: Flags): Promise<number> {
  if (name === undefined || words.length === 0) throw new UsageError('Cannot set: give a setting and its value')
  const setting = await settingOf(name)
  const given = words.join(' ')
  checkSetting(setting, given)
  const value = withPlace(name, given, process.cwd())
  await change(name, setting.kind === 'count' || setting.kind === 'amount' ? Number(value) : value, flags)
  writeLine(`${name} is ${value} in ${filePaths().config}`)
  return ExitCode.ok
}

/** Runs `colloquy config unset NAME`. */
export async function unset([name]: readonly string[], flags: Flags): Promise<number> {
  if (name === undefined) throw new UsageError(`Cannot unset: give a setting. ${programName} config list shows them`)
  await settingOf(name)
  await change(name, undefined, flags)
  writeLine(`${name} is not set in ${filePaths().config}`)
  return ExitCode.ok
}

/** Changes one value of the user's file; comments and order stay. A profile is made if it does not exist. */
async function change(name: string, value: string | number | undefined, flags: Flags): Promise<void> {
  const profile = flags.text('profile')
  await writeSetting(profile === undefined ? [name] : ['profiles', profile, name], value)
}
