import { builtin } from '../../runtime.ts'
import type { BodySource, BufferedResponse, ReceivedHead } from '../buffered-response.ts'
import { httpResponse } from '../http-response.ts'
import type { NodeStream } from '../modules.ts'
import type { BodyReceiver } from './connection.ts'

/** A response whose body is compressed, and the receiver of that body. It is read as a stream of Node, as decoders need. */
export function encodedResponse(head: ReceivedHead, url: string, source: BodySource): [BufferedResponse, BodyReceiver] {
  const { Readable } = builtin('node:stream') as NodeStream
  let isOver = false
  const stream = new Readable({
    read: () => {
      if (!isOver) source.resume()
    },
    destroy: (error, callback) => {
      // The connection of a complete response may serve another request.
      if (!isOver) source.destroy()
      callback(error)
    },
  })
  const receiver: BodyReceiver = {
    push(piece, isLent) {
      if (!stream.push(isLent ? new Uint8Array(piece) : piece)) source.pause()
    },
    end() {
      isOver = true
      stream.push(null)
    },
    fail(error) {
      isOver = true
      stream.destroy(error)
    },
  }
  return [httpResponse(Object.assign(stream, { statusCode: head.status, rawHeaders: head.fields }), url), receiver]
}
