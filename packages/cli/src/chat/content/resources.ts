import { UsageError } from '../../exit.ts'
import { oneLine } from '../../format.ts'
import type { ChatTools } from '../../mcp/chat-tools.ts'
import type { Attachment } from './attach.ts'

/** The resources of MCP servers that a text mentions as `@server:uri`. Throws a `UsageError` if one cannot be read. */
export async function mentionedResources(text: string, { connections }: ChatTools): Promise<Attachment[]> {
  const mentions = [...text.matchAll(/(?<=^|\s)@([^\s:]+):([\w+.-]+:\S+)/g)]
  const found = mentions.flatMap(([name = '', server, uri = '']) => {
    const connection = connections.find((each) => each.server.name === server)
    return connection === undefined ? [] : [{ name, uri, connection }]
  })
  const read = await Promise.all(
    found.map(async ({ name, uri, connection }) => {
      try {
        return (await connection.resource(uri)).map((block) => ({ name, bytes: undefined, block }))
      } catch (error) {
        throw new UsageError(`Cannot attach ${name}: ${oneLine((error as Error).message)}`)
      }
    }),
  )
  return read.flat()
}

/** How a text mentions the resources that the servers list, without the `@`: `server:uri`. */
export async function resourceNames({ connections }: ChatTools): Promise<string[]> {
  const names = connections.map(async (connection) => {
    const listed = await connection.resources().catch(() => [])
    return listed.map(({ uri }) => `${connection.server.name}:${uri}`)
  })
  return (await Promise.all(names)).flat()
}
