import { UsageError } from '../../exit.ts'
import { oneLine } from '../../format.ts'
import type { ChatTools } from '../../mcp/chat-tools.ts'
import type { ServerConnection } from '../../mcp/server-connection.ts'
import { type Attachment, withoutPunctuation } from './attach.ts'

/** The resources of MCP servers that a text mentions as `@server:uri`. Throws a `UsageError` if one cannot be read. */
export async function mentionedResources(text: string, { connections }: ChatTools): Promise<Attachment[]> {
  const mentions = [...text.matchAll(/(?<=^|\s)@([^\s:]+):([\w+.-]+:\S+)/g)]
  const found = mentions.flatMap(([name = '', server, uri = '']) => {
    const connection = connections.find((each) => each.server.name === server)
    return connection === undefined ? [] : [{ name, uri, connection }]
  })
  return (await Promise.all(found.map(attachmentsOf))).flat()
}

interface Mention {
  name: string
  uri: string
  connection: ServerConnection
}

async function attachmentsOf({ name, uri, connection }: Mention): Promise<Attachment[]> {
  try {
    return (await connection.resource(uri)).map((block) => ({ name, bytes: undefined, block }))
  } catch (error) {
    // The end of the sentence may stand behind the name.
    const shorter = withoutPunctuation(uri)
    if (shorter !== uri) return attachmentsOf({ name: withoutPunctuation(name), uri: shorter, connection })
    throw new UsageError(`Cannot attach ${name}: ${oneLine((error as Error).message)}`)
  }
}

/** How a text mentions the resources that the servers list, without the `@`: `server:uri`. */
export async function resourceNames({ connections }: ChatTools): Promise<string[]> {
  const names = connections.map(async (connection) => {
    const listed = await connection.resources().catch(() => [])
    return listed.map(({ uri }) => `${connection.server.name}:${uri}`)
  })
  return (await Promise.all(names)).flat()
}
