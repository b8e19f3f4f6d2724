import type { JsonIssue } from 'colloquy/protocol'
import type { Environment } from '../../../flags.ts'

/** A value in which variables of the environment were replaced. */
export interface Resolved {
  value: unknown
  issues: JsonIssue[]
  /** The values of the variables. */
  secrets: string[]
}

const reference = /\$(?<escape>\$)?\{(?<name>\w+)\}/g

/**
 * Replaces `${NAME}` in every string, and `{ "env": "NAME" }`, by variables of the environment. `$${NAME}` stands for the text
 * `${NAME}`. A variable that is not set or empty is an issue.
 */
export function resolveVariables(value: unknown, env: Environment): Resolved {
  const issues: JsonIssue[] = []
  const secrets: string[] = []
  const read = (name: string, path: JsonIssue['path']): string => {
    const found = env[name]
    if (!found) issues.push({ path, message: `needs the variable ${name} of the environment, which is not set` })
    else secrets.push(found)
    return found ?? ''
  }
  const resolve = (node: unknown, path: JsonIssue['path']): unknown => {
    if (typeof node === 'string')
      return node.replace(reference, (whole: string, escape: string | undefined, name: string) =>
        escape ? whole.slice(1) : read(name, path),
      )
    if (Array.isArray(node)) return node.map((item, index) => resolve(item, [...path, index]))
    if (typeof node !== 'object' || node === null) return node
    const entries = Object.entries(node)
    const [[key, name] = []] = entries
    if (entries.length === 1 && key === 'env' && typeof name === 'string') return read(name, path)
    return Object.fromEntries(entries.map(([each, inner]) => [each, resolve(inner, [...path, each])]))
  }
  return { value: resolve(value, []), issues, secrets }
}
