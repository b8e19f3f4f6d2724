import { findNodeAtLocation, type Node } from 'jsonc-parser'
import { type JsonIssue, nearMiss } from 'colloquy/protocol'
import { UsageError } from '../../../exit.ts'

/** The keys whose values are never shown. */
const secretKeys = new Set<string | number>(['apiKey', 'authToken', 'headers', 'keys', 'database', 'redis'])
const shownIssues = 10

/** A text with positions. */
export interface ConfigText {
  path: string
  text: string
  root: Node | undefined
}

/** A mistake. Its place follows from its path, unless it has an offset of its own. */
export type ConfigIssue = JsonIssue & { offset?: number }

/** A configuration with mistakes. */
export class ConfigError extends UsageError {
  override name = 'ConfigError'
  /** A line for each mistake, with its place in the file. Contains no secret. */
  readonly lines: readonly string[]

  constructor(path: string, lines: readonly string[]) {
    super(`Cannot use ${path}: ${lines.join('; ')}`)
    this.lines = [`Cannot use ${path}:`, ...lines.map((line) => `  ${line}`)]
  }
}

/** The error for the issues of a configuration, in the order of the file. */
export function configError(config: ConfigText, issues: readonly ConfigIssue[]): ConfigError {
  const placed = issues.map((issue) => ({ ...issue, offset: issue.offset ?? offsetOf(config, issue.path) }))
  const lines = placed.toSorted((a, b) => a.offset - b.offset).map((issue) => lineOf(config, issue))
  const more = lines.length - shownIssues
  return new ConfigError(config.path, more > 0 ? [...lines.slice(0, shownIssues), `and ${more} more`] : lines)
}

function lineOf(config: ConfigText, { path, message, offset }: JsonIssue & { offset: number }): string {
  const name = path.length === 0 ? '' : `${path.join('.')} `
  return `${config.path}:${positionAt(config.text, offset)}: ${name}${safe(path, message)}`
}

/** The key of an unknown property, else the value, else the nearest thing around it. */
function offsetOf({ root }: ConfigText, path: JsonIssue['path']): number {
  for (let length = path.length; root !== undefined && length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length))
    if (node !== undefined) return node.parent?.type === 'property' ? node.parent.offset : node.offset
  }
  return root?.offset ?? 0
}

/** Line and column, from 1. */
export function positionAt(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `${before.length}:${before.at(-1)!.length + 1}`
}

export const portForm = 'must be a whole number from 0 to 65535'

/** The form of the values of some keys, which the schema describes by a pattern. */
const forms: Partial<Record<string, string>> = {
  baseURL: 'must be an address that begins with http:// or https://',
  port: portForm,
}

const unknown = /^is not a property of the schema, which has (?<known>.*): found (?<key>.*)$/

/** The message in the words of a configuration, without values that may be secret. */
function safe(path: JsonIssue['path'], message: string): string {
  const { known, key } = unknown.exec(message)?.groups ?? {}
  if (known !== undefined && key !== undefined) {
    const names = known.split(', ')
    const nearest = nearMiss(key, names)
    return `is not known: ${nearest === undefined ? `the keys are ${names.join(', ')}` : `did you mean ${nearest}?`}`
  }
  if (path.some((part) => secretKeys.has(part))) {
    return message.startsWith('must satisfy one of')
      ? 'must be a string or {"env": "NAME"}'
      : message.replace(/: found .*$/s, '')
  }
  const inWords = forms[path.at(-1) ?? '']
  if (inWords !== undefined && /^must (?:match|satisfy one of) /.test(message)) return inWords
  // A string may be a secret that was written in the wrong place. The line shows it to its author.
  return message.replace(/: found ["[{].*$/s, '')
}
