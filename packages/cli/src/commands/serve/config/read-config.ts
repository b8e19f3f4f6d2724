import { getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import { checkJson, type JsonIssue, type JsonSchema, nearMiss } from 'colloquy/protocol'
import { UsageError } from '../../../exit.ts'
import { isObject } from '../../../config/json-file.ts'
import type { Environment } from '../../../flags.ts'
import { systemReason } from '../../../errors/system-error.ts'
import { ConfigError, configError, type ConfigIssue, type ConfigText, portForm, positionAt } from './config-error.ts'
import { configSchema, engineSchemas, type ServeConfig, routeSchemas } from './config.ts'
import { resolveVariables } from './variables.ts'
import { readText } from '../../../read-text.ts'

/** A configuration that was checked, with the variables of the environment in their places. */
export interface ReadConfig {
  path: string
  config: ServeConfig & { port?: number }
  /** The values that came from the environment: they must not be shown. */
  secrets: readonly string[]
}

/**
 * Reads a configuration: JSON, with comments and trailing commas. Throws a `ConfigError` that names the line and the nearest
 * known key for each mistake, and contains no secret.
 */
export function readConfig(path: string, env: Environment = process.env): ReadConfig {
  const text = textOf(path)
  const root = parsed(path, text)
  const source: ConfigText = { path, text, root }
  const value: unknown = getNodeValue(root)
  const repeated = repeatedKeys(root)
  // The places of other mistakes would be those of the first of two equal keys.
  const issues = repeated.length > 0 ? repeated : issuesOf(value)
  if (issues.length > 0) throw configError(source, issues)
  const resolved = resolveVariables(value, env)
  const config = resolved.value as ServeConfig
  const later = [...resolved.issues, ...referenceIssues(config), ...passOnIssues(config), ...formIssues(config)]
  if (later.length > 0) throw configError(source, later)
  const { port, ...rest } = config
  return { path, config: { ...rest, ...(port !== undefined && { port: Number(port) }) }, secrets: resolved.secrets }
}

function textOf(path: string): string {
  try {
    return readText(path)
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${systemReason(error)}`)
  }
}

function parsed(path: string, text: string): Node {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first === undefined && root !== undefined) return root
  const reason = first === undefined ? 'it is empty' : words(printParseErrorCode(first.error))
  throw new ConfigError(path, [`${path}:${positionAt(text, first?.offset ?? 0)}: is not JSON: ${reason}`])
}

/** `CommaExpected` as `comma expected`. */
function words(code: string): string {
  return code.replace(/(?<!^)([A-Z])/g, ' $1').toLowerCase()
}

/** The check by the schema, except that an engine and a route are held to the one form that they are meant to have. */
function issuesOf(value: unknown): JsonIssue[] {
  const shallow = checkJson(
    { ...configSchema, properties: { ...(configSchema.properties as object), engines: named, routes: named } },
    value,
  )
  const { engines, routes } = value as Partial<ServeConfig>
  return [
    ...shallow,
    ...Object.entries(isObject(engines) ? engines : {}).flatMap(([name, engine]) => engineIssues(name, engine)),
    ...Object.entries(isObject(routes) ? routes : {}).flatMap(([name, route]) =>
      under(['routes', name], routeSchemas[formOf(route)], route),
    ),
  ]
}

const named: JsonSchema = { type: 'object', minProperties: 1 }

function engineIssues(name: string, engine: unknown): JsonIssue[] {
  const types = Object.keys(engineSchemas)
  const type: unknown = isObject(engine) ? engine['type'] : undefined
  if (typeof type === 'string' && Object.hasOwn(engineSchemas, type))
    return under(['engines', name], engineSchemas[type as keyof typeof engineSchemas], engine)
  if (!isObject(engine)) return [{ path: ['engines', name], message: 'must be an object with a type' }]
  const nearest = typeof type === 'string' ? nearMiss(type, types) : undefined
  const hint = nearest === undefined ? `it must be ${types.join(', ')}` : `did you mean ${nearest}?`
  return [
    { path: ['engines', name, 'type'], message: type === undefined ? `is missing: ${hint}` : `is not known: ${hint}` },
  ]
}

function under(path: string[], schema: JsonSchema, value: unknown): JsonIssue[] {
  return checkJson(schema, value).map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
}

function formOf(route: unknown): keyof typeof routeSchemas {
  return Array.isArray(route) ? 'array' : isObject(route) ? 'object' : 'string'
}

/** Routes to engines that do not exist, and a missing route. */
function referenceIssues({ engines, routes }: ServeConfig): JsonIssue[] {
  const names = Object.keys(engines)
  if (routes === undefined)
    return names.length === 1
      ? []
      : [{ path: ['routes'], message: 'is missing: it says which engine answers for which model' }]
  return Object.entries(routes).flatMap(([name, route]) => {
    const isShort = typeof route === 'string' || Array.isArray(route)
    const to = isShort ? route : route.to
    const base = ['routes', name, ...(isShort ? [] : ['to'])]
    const list = (Array.isArray(to) ? to : [to]) as (string | { engine: string })[]
    return list.flatMap((target, index) => {
      const engine = typeof target === 'string' ? target : target.engine
      if (names.includes(engine)) return []
      const nearest = nearMiss(engine, names)
      const hint = nearest === undefined ? `the engines are ${names.join(', ')}` : `did you mean ${nearest}?`
      const path = [...base, ...(Array.isArray(to) ? [index] : [])]
      return [{ path, message: `names an engine that does not exist: ${hint}` }]
    })
  })
}

function passOnIssues({ passOn, engines }: ServeConfig): JsonIssue[] {
  if (passOn === undefined) return []
  const apis = Object.keys(engines).filter((name) => engines[name]!.type === 'api')
  if (apis.includes(passOn)) return []
  const hint = apis.length === 0 ? 'there is none' : `it must be ${apis.join(' or ')}`
  return [{ path: ['passOn'], message: `is not an engine of type api: ${hint}` }]
}

interface Form {
  key: 'port' | 'origins' | 'hosts' | 'database' | 'redis'
  isRight: (text: string) => boolean
  message: string
}

/** Values that would otherwise be refused without their place in the file, or have no effect. */
const forms: readonly Form[] = [
  {
    key: 'port',
    isRight: (text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535,
    message: portForm,
  },
  {
    key: 'origins',
    isRight: (text) => URL.parse(text)?.origin === text,
    message: 'must be the origin of a page, such as https://app.example',
  },
  {
    key: 'hosts',
    isRight: (text) => /^(?:[\w.-]+|\[[\da-f:.]+\])$/i.test(text),
    message: 'must be a host name without a scheme and a port, such as app.example',
  },
  {
    key: 'database',
    isRight: (text) => !text.includes('://') || /^postgres(?:ql)?:/.test(text),
    message: 'must be the path of a file, or begin with postgres://',
  },
  { key: 'redis', isRight: (text) => /^rediss?:\/\//.test(text), message: 'must begin with redis:// or rediss://' },
]

function formIssues(config: ServeConfig): JsonIssue[] {
  return forms.flatMap(({ key, isRight, message }) => {
    const value = config[key]
    const texts = [value ?? []].flat().map(String)
    return texts.flatMap((text, index) =>
      isRight(text) ? [] : [{ path: Array.isArray(value) ? [key, index] : [key], message }],
    )
  })
}

/** Keys that are written twice in one object: JSON keeps the last one without a word. */
function repeatedKeys(node: Node, path: string[] = []): ConfigIssue[] {
  if (node.type === 'array')
    return (node.children ?? []).flatMap((item, index) => repeatedKeys(item, [...path, `${index}`]))
  if (node.type !== 'object') return []
  const seen = new Set<string>()
  return (node.children ?? []).flatMap(({ children: [key, value] = [] }) => {
    const name = String(key?.value)
    const inner = value ? repeatedKeys(value, [...path, name]) : []
    const repeated = seen.has(name) ? [{ path: [...path, name], message: 'is written twice', offset: key!.offset }] : []
    seen.add(name)
    return [...repeated, ...inner]
  })
}
