import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../source.ts'
import { typeErrors } from './compiler.ts'

const sdk = join(root, 'node_modules/@anthropic-ai/sdk')

/** The declaration files of the official client that are about Messages, and the paths of their namespaces. */
const namespaceFiles: Record<string, string> = {
  'client.d.ts': '',
  'resources/messages/messages.d.ts': 'Anthropic.',
  'resources/messages/batches.d.ts': 'Anthropic.Messages.',
  'resources/models.d.ts': 'Anthropic.',
  'resources/files.d.ts': 'Anthropic.',
  'resources/beta/beta.d.ts': 'Anthropic.',
  'resources/beta/messages/messages.d.ts': 'Anthropic.Beta.',
  'resources/beta/messages/batches.d.ts': 'Anthropic.Beta.Messages.',
  'resources/beta/models.d.ts': 'Anthropic.Beta.',
  'resources/beta/files.d.ts': 'Anthropic.Beta.',
}

/** The resources of products other than Messages. A namespace lists the types of a resource together with it. */
const otherProducts = [
  'Agents',
  'Compliance',
  'DeploymentRuns',
  'Deployments',
  'Dreams',
  'Environments',
  'MemoryStores',
  'Organization',
  'Sessions',
  'Skills',
  'Tunnels',
  'UserProfiles',
  'Vaults',
  'Webhooks',
]

/** Names without a resource of their own that belong to another product, by the reason. */
const otherNames: Record<string, RegExp> = {
  'administration of keys, storage and regions of an organization':
    /^Beta(CMEKNotApproved|ExternalKey|GCPProject|RegionNotSupported|Storage)\w*Error(Details)?$/,
  'amounts of money in administration': /^Beta(Currency|MonetaryAmount)$/,
  'pages of lists in other products': /^(TokenPage|BidirectionalPageCursor|ReportPageCursor)(Params|Response)?$/,
}

/** The paths of the types of Messages in the official namespaces, such as `Anthropic.Beta.BetaMessage`. */
export function officialPaths(): string[] {
  const paths = Object.entries(namespaceFiles).flatMap(([file, prefix]) =>
    namespacesIn(readFileSync(join(sdk, file), 'utf8')).flatMap(([namespace, names]) =>
      names.map((name) => `${prefix}${namespace}.${name}`),
    ),
  )
  return [...new Set(paths)].toSorted()
}

/** The official modules whose types `colloquy` exports itself. */
const modules = [
  'resources/messages/messages',
  'resources/messages/batches',
  'resources/models',
  'resources/files',
  'resources/beta/messages/messages',
  'resources/beta/messages/batches',
  'resources/beta/models',
  'resources/beta/files',
]

/** The names of the types that the official modules about Messages export. */
export function officialExports(): string[] {
  const exported = /^export (?:declare )?(?:interface|type|class) (\w+)/gm
  const names = modules.flatMap((module) => [...readFileSync(join(sdk, `${module}.d.ts`), 'utf8').matchAll(exported)])
  return [...new Set(names.map(([, name]) => name!))].toSorted()
}

/** Returns those of the paths below `Anthropic` that name no type of ours. */
export async function missingPaths(paths: readonly string[]): Promise<string[]> {
  const program = [`import Anthropic from 'colloquy'`, ...paths.map((path, index) => `type T${index} = ${path}`)]
  return unknownIn(program, [undefined, ...paths])
}

/** Returns those of the names that are not exported by `colloquy`. */
export async function missingExports(names: readonly string[]): Promise<string[]> {
  const program = names.map((name, index) => `export type { ${name} as T${index} } from 'colloquy'`)
  return unknownIn(program, names)
}

/** Returns the names of the lines that do not compile. A type that lacks its parameters exists. */
async function unknownIn(program: string[], names: readonly (string | undefined)[]): Promise<string[]> {
  const errors = (await typeErrors(program.join('\n'))).filter((error) => !error.includes('error TS2314'))
  const lines = new Set(errors.map((error) => Number(/program\.ts\((\d+),/.exec(error)?.[1]) - 1))
  return [...lines].map((line) => names[line] ?? errors.join('\n'))
}

/** The namespaces of a declaration file, each with the names of Messages that it exports. */
function namespacesIn(text: string): [string, string[]][] {
  return [...text.matchAll(/^export declare namespace (\w+) \{\n(.*?)^\}/gms)].map(([, name, body]) => [
    name!,
    namesIn(body!).filter((exported) => !Object.values(otherNames).some((pattern) => pattern.test(exported))),
  ])
}

function namesIn(body: string): string[] {
  const lists = [...body.matchAll(/^ {4}export (?:type )?\{([^}]*)\}/gm)].map(([, list]) => listedIn(list!))
  const ownLists = lists.filter(([resource]) => !otherProducts.includes(resource!))
  const declared = [...body.matchAll(/^ {4}(?:export )?(?:type|interface|class) (\w+)/gm)].map(([, name]) => name!)
  return [...ownLists.flat(), ...declared]
}

/** The exported names in the text of an export list. */
function listedIn(list: string): string[] {
  return [...list.matchAll(/(\w+)\s*(?:,|$)/g)].map(([, name]) => name!)
}
