import { UsageError } from '../../exit.ts'
import { countText } from '../../format.ts'
import { print, say, type Effect, type Perform } from '../chat-state.ts'
import { messageEffects } from '../message.ts'
import type { ServerConnection } from '../../mcp/server-connection.ts'
import { openBrowser } from '../../browser.ts'
import type { SlashInput } from './command.ts'

/** Lists the MCP servers, shows what one offers, or does something with one. */
export async function mcp({ context: { tools }, rest }: SlashInput): Promise<Effect[]> {
  if (tools === undefined) return [say('This chat has no MCP servers: --mcp FILE starts those of a file.')]
  const { connections } = tools
  if (rest === '') return [say(...connections.map(statusLine), '', '  /mcp NAME shows what a server offers')]
  const [, action, name] = /^(restart|login|logout)\s+(.+)$/.exec(rest) ?? []
  const connection = named(name ?? rest, connections)
  const act = actions.get(action ?? '')
  if (act === undefined)
    return [
      say(
        statusLine(connection),
        ...connection.leftOut.map((line) => `    ✗ ${line}`),
        ...(await offers(connection)),
        ...logOf(connection),
      ),
    ]
  const run = async (perform: Perform, signal: AbortSignal): Promise<Effect[]> => {
    await act(connection, perform, signal)
    return [say(statusLine(connection))]
  }
  return [{ kind: 'task', run }]
}

type Act = (connection: ServerConnection, perform: Perform, signal: AbortSignal) => Promise<void>

/** The actions by the word before the name. Each may wait for the server, or for the user at the browser. */
const actions: ReadonlyMap<string, Act> = new Map<string, Act>([
  ['restart', (connection, _, signal) => connection.open(signal)],
  ['logout', (connection, _, signal) => connection.signOut(signal)],
  ['login', (connection, perform, signal) => connection.signIn((url) => openPage(url, perform), signal)],
])

async function openPage({ href }: URL, perform: Perform): Promise<void> {
  const isOpen = await openBrowser(href)
  const line = isOpen ? 'Sign in in the browser. Its page, if it does not open:' : 'Open this page to sign in:'
  // The line of an address that is copied has no breaks.
  await perform([say(line), print(href)])
}

function named(name: string, connections: readonly ServerConnection[]): ServerConnection {
  const found = connections.find(({ server }) => server.name === name)
  if (found !== undefined) return found
  const names = connections.map(({ server }) => server.name).join(', ')
  throw new UsageError(`No MCP server ${name}: found ${names === '' ? 'none' : names}`)
}

function statusLine({ server: { name }, failure, tools }: ServerConnection): string {
  return failure === undefined
    ? `  ✓ ${name}: ${countText(tools.length, 'tool')}`
    : `  ✗ ${name}: ${failure} · /mcp restart ${name}`
}

/** The last messages that the server wrote for its log. */
function logOf({ messages }: ServerConnection): string[] {
  return messages.length === 0 ? [] : ['    Its last messages:', ...messages.map((line) => `      ${line}`)]
}

/** A line for each prompt and resource, as the user can type them. */
async function offers(connection: ServerConnection): Promise<string[]> {
  const { server } = connection
  const [prompts, resources, templates] = await Promise.all([
    connection.prompts(),
    connection.resources(),
    // Few servers of resources have them, and some do not know the request.
    connection.resourceTemplates().catch(() => []),
  ])
  return [
    ...prompts.map(({ name, arguments: given = [], description }) => {
      const words = given.map((each) => (each.required ? each.name : `[${each.name}]`))
      return `    ${[`/${server.name}__${name}`, ...words].join(' ')}${description ? `  ${description}` : ''}`
    }),
    ...resources.map(({ uri, name }) => `    @${server.name}:${uri}  ${name}`),
    ...templates.map(({ uriTemplate, name }) => `    @${server.name}:${uriTemplate}  ${name}`),
  ]
}

/**
 * The effects of sending a prompt of an MCP server: `/server__prompt` with its arguments in their order, of which the last one takes
 * the rest of the line. Undefined if no server has the prompt.
 */
export async function promptEffects(typed: string, input: SlashInput): Promise<Effect[] | undefined> {
  const { state, context, words } = input
  const name = typed.replace(/^mcp__/, '')
  for (const connection of context.tools?.connections ?? []) {
    const prefix = `${connection.server.name}__`
    if (!name.startsWith(prefix)) continue
    const prompt = (await connection.prompts()).find((each) => each.name === name.slice(prefix.length))
    if (prompt === undefined) continue
    const { text, blocks } = await connection.prompt(prompt.name, argumentsOf(prompt, words))
    const attachments = blocks.map((block) => ({ name: `${block.type} of ${typed}`, bytes: undefined, block }))
    return [
      say(...text.split('\n').map((line) => `  ${line}`)),
      ...(await messageEffects(text, { ...state, attachments: [...state.attachments, ...attachments] }, context)),
    ]
  }
  return undefined
}

interface PromptArguments {
  name: string
  arguments?: { name: string; required?: boolean | undefined }[] | undefined
}

function argumentsOf(
  { name, arguments: wanted = [] }: PromptArguments,
  words: readonly string[],
): Record<string, string> {
  const missing = wanted.filter(({ required }, index) => required && words[index] === undefined)
  if (missing.length > 0)
    throw new UsageError(`Cannot send the prompt ${name} without its ${missing.map((each) => each.name).join(', ')}`)
  const last = wanted.length - 1
  const values = wanted.map((_, index) => (index === last ? words.slice(index).join(' ') : (words[index] ?? '')))
  return Object.fromEntries(wanted.flatMap((each, index) => (values[index] ? [[each.name, values[index]]] : [])))
}
