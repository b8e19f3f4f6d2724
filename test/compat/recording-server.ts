import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** The response to one request. */
export interface Reply {
  /** Default 200. 0 sends no response: only `end` happens. */
  status?: number
  headers?: Record<string, string>
  /** Each is written in a packet of its own; a number is a wait in milliseconds. */
  body?: readonly (string | Uint8Array | number)[]
  /** Default `finish`: the response ends normally. `reset` breaks the connection, `hold` leaves it open and silent. */
  end?: 'finish' | 'reset' | 'hold'
}

/** A request as received. */
export interface RecordedRequest {
  method: string
  path: string
  headers: Record<string, string>
  body: string
  /** True if the client closed the connection before the end of the response. */
  abandoned: boolean
}

/** One client's part of the server, with its own base URL, script and record. */
export interface Stage {
  url: string
  requests: RecordedRequest[]
  /** Resolves when this number of requests has arrived. */
  arrived(count: number): Promise<void>
  /** Resolves when every response has ended or the client has closed it; cuts open responses after `graceMs`. */
  settled(graceMs: number): Promise<void>
}

interface Backstage extends Stage {
  replies: readonly Reply[]
  open: Set<Promise<void>>
  responses: Set<ServerResponse>
  /** True if this server closed the connection at the end of a scenario. */
  cut: WeakSet<ServerResponse>
  waiters: Set<() => void>
}

/** A server on loopback that answers every stage from its script and records the requests. */
export interface RecordingServer {
  stage(replies: readonly Reply[]): Stage
  close(): Promise<void>
}

export async function recordingServer(): Promise<RecordingServer> {
  const stages = new Map<string, Backstage>()
  // Clients set a timer for the keep-alive time, which must not expire while the timers of a scenario run fast.
  const server = createServer({ keepAliveTimeout: 3_600_000 }, (request, response) => {
    const [, id = '', path = ''] = /^\/(\d+)(.*)$/s.exec(request.url ?? '') ?? []
    const stage = stages.get(id)
    if (!stage) return void response.writeHead(500).end('no such stage')
    const answered = answer(stage, path, request, response)
    stage.open.add(answered)
    void answered.finally(() => stage.open.delete(answered))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  function stage(replies: readonly Reply[]): Stage {
    const id = String(stages.size + 1)
    const stage: Backstage = {
      url: `${origin}/${id}`,
      // Some responses contain the address of the stage, for example those of batches.
      replies: replies.map((reply) => located(reply, `${origin}/${id}`)),
      requests: [],
      open: new Set(),
      responses: new Set(),
      cut: new WeakSet(),
      waiters: new Set(),
      async arrived(count) {
        while (stage.requests.length < count) await new Promise<void>((resolve) => stage.waiters.add(resolve))
      },
      async settled(graceMs) {
        const cut = (): void => {
          for (const response of stage.responses) {
            stage.cut.add(response)
            response.destroy()
          }
        }
        // On a busy machine the time is over before the sockets that a client has closed were looked at.
        const grace = setTimeout(() => setImmediate(() => setImmediate(cut)), graceMs)
        await Promise.all(stage.open)
        clearTimeout(grace)
      },
    }
    stages.set(id, stage)
    return stage
  }

  async function close(): Promise<void> {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  return { stage, close }
}

async function answer(
  stage: Backstage,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = stage.replies[stage.requests.length] ?? { status: 599, body: ['nothing is scripted for this request'] }
  const record: RecordedRequest = {
    method: request.method ?? '',
    path,
    headers: joined(request),
    body: '',
    abandoned: false,
  }
  stage.requests.push(record)
  const closed = new Promise<void>((resolve) => response.once('close', resolve))
  stage.responses.add(response)
  try {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    record.body = Buffer.concat(chunks).toString()
  } catch {
    record.abandoned = true
  }
  for (const waiter of stage.waiters) waiter()
  stage.waiters.clear()
  await Promise.race([perform(reply, response), closed])
  await closed
  record.abandoned ||= !response.writableFinished && !stage.cut.has(response) && reply.end !== 'reset'
  stage.responses.delete(response)
}

async function perform(reply: Reply, response: ServerResponse): Promise<void> {
  if (reply.status !== 0) {
    response.writeHead(reply.status ?? 200, reply.headers)
    response.flushHeaders()
  }
  for (const piece of reply.body ?? []) {
    if (typeof piece === 'number') await sleep(piece)
    else await new Promise<void>((resolve) => response.write(piece, () => setImmediate(resolve)))
    if (response.destroyed) return
  }
  if (reply.end === 'reset') response.socket?.resetAndDestroy()
  else if (reply.end !== 'hold') response.end()
}

function joined(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headersDistinct).map(([name, values]) => [name, values!.join(', ')]))
}

function located(reply: Reply, url: string): Reply {
  if (!reply.body) return reply
  return {
    ...reply,
    body: reply.body.map((piece) => (typeof piece === 'string' ? piece.replaceAll('$url', url) : piece)),
  }
}
