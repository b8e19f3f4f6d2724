import { failure, finish, hello, json, message, sse, start, stop, text } from '../fixtures.ts'
import type { Reply } from '../recording-server.ts'
import { ownError, type Scenario } from '../scenario.ts'

const setup = { model: hello.model, max_tokens: 64, system: 'Be brief.' }
const question = { role: 'user' as const, content: 'One?' }
const another = { role: 'user' as const, content: 'Two?' }

function says(id: string, text = id): Reply {
  return json(message({ id, content: [{ type: 'text', text }] }))
}

function code(status: number, error_code: string, details: object = {}): Reply {
  return failure(status, 'invalid_request_error', 'No', { details: { error_code, ...details } })
}

/** `beta.messages.thread()`: the requests of a turn, the stored history, and recovery. */
export const threads: Scenario[] = [
  {
    name: 'two turns: the first creates, the second continues',
    replies: [says('msg_1'), says('msg_2')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      const before = thread.previousMessageId
      await thread.send(question)
      const reply = await thread.send(another)
      return [before, reply.id, thread.messages, thread.previousMessageId]
    },
  },
  {
    name: 'a history to begin with, and messages that are staged',
    replies: [says('msg_1')],
    async run({ client }) {
      const thread = client.beta.messages.thread({
        ...setup,
        messages: [question, { role: 'assistant', content: 'Yes.' }],
      })
      thread.append(another, { role: 'user', content: 'Three?' })
      await thread.send()
      return thread.messages
    },
  },
  ...['thread_not_found', 'thread_already_continued', 'thread_continue_in_flight'].map((error_code): Scenario => ({
    name: `${error_code} sends the whole history again`,
    replies: [
      says('msg_1'),
      code(error_code === 'thread_not_found' ? 404 : 400, error_code),
      says('msg_2'),
      says('msg_3'),
    ],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      await thread.send(question)
      await thread.send(another)
      await thread.send(question)
      return [thread.messages, thread.previousMessageId]
    },
  })),
  {
    name: 'a request that cannot be threaded is an error by default',
    replies: [code(400, 'thread_unsupported_request', { unsupported: ['thinking'] })],
    run: ({ client }) => client.beta.messages.thread(setup).send(question),
    differs: [],
  },
  {
    name: 'a request that cannot be threaded continues without a thread if allowed',
    replies: [code(400, 'thread_unsupported_request', { unsupported: ['thinking'] }), says('msg_1'), says('msg_2')],
    async run({ client }) {
      const thread = client.beta.messages.thread({ ...setup, unsupportedRequestBehavior: 'continue_unthreaded' })
      await thread.send(question)
      await thread.send(another)
      return [thread.messages.length, thread.previousMessageId]
    },
  },
  {
    name: 'a failed turn leaves its messages to the next',
    replies: [says('msg_1'), failure(400, 'invalid_request_error', 'No'), says('msg_2')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      await thread.send(question)
      const error = await thread.send(another).catch((error: unknown) => error)
      const between = thread.messages.length
      await thread.send({ role: 'user', content: 'Three?' })
      return [error, between, thread.messages]
    },
  },
  {
    name: 'a streamed turn',
    replies: [sse([start({ id: 'msg_1' }), ...text(0, 'Yes', '.'), finish(), stop]), says('msg_2')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      const seen: string[] = []
      const reply = await thread
        .stream(question)
        .on('text', (text) => seen.push(text))
        .finalMessage()
      await thread.send(another)
      return [reply.id, seen, thread.messages]
    },
  },
  {
    name: 'a refusal leaves no trace',
    replies: [says('msg_1'), json(message({ id: 'msg_2', content: [], stop_reason: 'refusal' })), says('msg_3')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      await thread.send(question)
      const refused = await thread.send(another)
      await thread.send({ role: 'user', content: 'Three?' })
      return [refused.stop_reason, thread.messages]
    },
  },
  {
    name: 'a paused turn is resumed with no messages',
    replies: [json(message({ id: 'msg_1', stop_reason: 'pause_turn' })), says('msg_2')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      await thread.send(question)
      await thread.send()
      return thread.messages
    },
  },
  {
    name: 'fork() copies the history and starts a new thread',
    replies: [says('msg_1'), says('msg_2'), says('msg_3')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      await thread.send(question)
      const fork = thread.fork()
      await fork.send(another)
      await thread.send({ role: 'user', content: 'Three?' })
      return [fork.messages.length, thread.messages.length, fork.previousMessageId, thread.previousMessageId]
    },
  },
  {
    name: 'update() changes what may change',
    replies: [says('msg_1'), says('msg_2')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      await thread.send(question)
      thread.update({ max_tokens: 128 }, { headers: { 'x-mine': '1' } })
      await thread.send(another, { metadata: { user_id: 'u' } })
    },
  },
  {
    name: 'update() of system after the first turn is an error of the next',
    replies: [says('msg_1')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      await thread.send(question)
      thread.update({ system: 'Be long.' })
      await thread.send(another)
    },
    differs: [ownError('threw')],
  },
  {
    name: 'the responses of turns',
    replies: [says('msg_1'), says('msg_2', '{"a":1}'), code(404, 'thread_not_found'), says('msg_3')],
    async run({ client }) {
      const format = { type: 'json_schema' as const, schema: { type: 'object' } }
      const thread = client.beta.messages.thread({ ...setup, output_config: { format } })
      const { data, response, request_id, workspace_id } = await thread.send(question).withResponse()
      const parsed = await thread.parse(another).withResponse()
      const { status } = await thread.send(question).asResponse()
      return [data.id, response.status, request_id, workspace_id, parsed.data.parsed_output, parsed.request_id, status]
    },
  },
  {
    name: 'two turns at once',
    replies: [says('msg_1')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      const first = thread.send(question)
      try {
        await thread.send(another)
      } catch (error) {
        return [error, (await first).id]
      }
    },
    differs: [ownError('returned.0')],
  },
  {
    name: 'parse() reads the reply by its format',
    replies: [says('msg_1', '{"a":1}')],
    async run({ client }) {
      const format = {
        type: 'json_schema' as const,
        schema: { type: 'object' },
        parse: (text: string) => JSON.parse(text) as { a: number },
      }
      const thread = client.beta.messages.thread({ ...setup, output_config: { format } })
      return (await thread.parse(question)).parsed_output
    },
  },
  {
    name: 'a stream that ends early starts a new thread',
    replies: [says('msg_1'), sse([start({ id: 'msg_2' }), ...text(0, 'Half')]), says('msg_3')],
    async run({ client }) {
      const thread = client.beta.messages.thread(setup)
      await thread.send(question)
      await thread
        .stream(another)
        .finalMessage()
        .catch(() => {})
      await thread.send({ role: 'user', content: 'Three?' })
      return thread.messages
    },
  },
]
