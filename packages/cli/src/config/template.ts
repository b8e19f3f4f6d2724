import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '../exit.ts'
import { filePaths } from '../file-paths.ts'
import { withPlace } from './named-file.ts'
import { checkSetting, settingOf } from './settings.ts'
import { textOf } from './json-file.ts'

/** A prompt with places to fill, and the settings of the chats that use it. */
export interface Template {
  name: string
  /** Settings at the beginning of the file, by their names. */
  settings: ReadonlyMap<string, string>
  /** The text, with `{{input}}` for the message, and `{{name}}` or `{{name=default}}` for variables. */
  body: string
}

/** The names of the user's templates. */
export function templateNames(): string[] {
  const { templates } = filePaths()
  if (!existsSync(templates)) return []
  return readdirSync(templates)
    .filter((name) => name.endsWith('.md'))
    .map((name) => name.slice(0, -'.md'.length))
    .toSorted()
}

/** Reads a template. Throws a `UsageError` if there is none of the name, or if its settings are wrong. */
export async function readTemplate(name: string): Promise<Template> {
  const { templates } = filePaths()
  const path = join(templates, `${name}.md`)
  if (/[/\\]/.test(name) || !existsSync(path)) {
    const names = templateNames().join(', ') || 'none'
    throw new UsageError(`No template ${name} in ${templates}: found ${names}`)
  }
  const text = textOf(path).replaceAll('\r\n', '\n')
  const [, head = '', body = ''] = /^---\n((?:.*\n)*?)---(?:\n([^]*))?$/.exec(text) ?? ['', '', text]
  return { name, settings: await headSettings(head, path), body: body.trim() }
}

async function headSettings(head: string, path: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const line of head.split('\n').filter((each) => each.trim() !== '')) {
    const [, name, value] = /^([\w-]+):\s*(.*?)\s*$/.exec(line) ?? []
    if (name === undefined || value === undefined) {
      throw new UsageError(`Cannot use ${path}: found “${line}” where a setting such as model: claude-opus-5-5 must be`)
    }
    checkSetting(await settingOf(name, ` in ${path}`), value, ` in ${path}`)
    found.set(name, withPlace(name, value, dirname(path)))
  }
  return found
}

const place = /\{\{\s*([\w-]+)\s*(?:=([^}]*))?\}\}/g

/** Whether the template has a place for the message. */
export function takesInput({ body }: Template): boolean {
  return [...body.matchAll(place)].some(([, name]) => name === 'input')
}

/**
 * The text with its places filled. Without a place for the message, the message follows the text. Throws a `UsageError` that
 * names the variables without a value.
 *
 * @param given values as `NAME=VALUE`.
 */
export function fillTemplate(template: Template, given: readonly string[], input: string): string {
  const values = new Map(given.map(variableOf))
  const names = new Set([...template.body.matchAll(place)].map(([, name]) => name!))
  for (const name of values.keys()) {
    if (!names.has(name))
      throw new UsageError(`Cannot use --var ${name}: the template ${template.name} does not have it`)
  }
  const missing = [...template.body.matchAll(place)]
    .filter(([, name, otherwise]) => name !== 'input' && otherwise === undefined && !values.has(name!))
    .map(([, name]) => name!)
  if (missing.length > 0) {
    const flags = [...new Set(missing)].map((name) => `--var ${name}=…`).join(' ')
    throw new UsageError(`Cannot use the template ${template.name}: give ${flags}`)
  }
  const text = template.body.replace(place, (_, name: string, otherwise: string | undefined) =>
    name === 'input' ? input : (values.get(name) ?? otherwise ?? ''),
  )
  return takesInput(template) || input === '' ? text : `${text}\n\n${input}`
}

function variableOf(pair: string): [string, string] {
  const at = pair.indexOf('=')
  if (at <= 0) throw new UsageError(`Cannot use --var ${pair}: it must be NAME=VALUE`)
  return [pair.slice(0, at), pair.slice(at + 1)]
}
