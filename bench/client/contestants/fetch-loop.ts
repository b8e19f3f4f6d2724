import type { Contestant } from '../contestant.ts'
import { handLoop, hasThreeDeltas, headers } from './loop.ts'

/** A hand-written loop over `fetch`. */
export function connect(_library: unknown, url: string): Contestant {
  const post = async (body: string): Promise<Response> => {
    const response = await fetch(`${url}/v1/messages`, { method: 'POST', headers, body })
    if (!response.ok) throw new Error(await response.text())
    return response
  }
  return handLoop({
    async stream(body, receive) {
      const decoder = new TextDecoder()
      for await (const chunk of (await post(body)).body!) receive(decoder.decode(chunk, { stream: true }))
    },
    async whole(body) {
      return (await post(body)).text()
    },
    async open(body) {
      const reader = (await post(body)).body!.getReader()
      for (let text = ''; !hasThreeDeltas(text);) text += new TextDecoder().decode((await reader.read()).value)
      return reader
    },
  })
}
