import { shapeOf } from '../messages/validate/shape.ts'
import {
  type Content,
  jsonContent,
  type Operation,
  type Operations,
  type Parameter,
  ref,
} from '../openapi/operation.ts'
import { changeBody, createBody, eraseBody, forkBody, messageBody, undoBody } from './groups/changing.ts'
import { previewBody } from './groups/reading.ts'
import { editBody, retryBody, sendBody, turnBody } from './groups/turns.ts'

const conversation = jsonContent(ref('Conversation'))
const events: Content = { description: 'The events of the turn', content: { 'text/event-stream': { type: 'string' } } }

function limit(most: number, fallback: number): Parameter {
  return { type: 'integer', minimum: 1, maximum: most, default: fallback, description: 'The most entries of the page.' }
}

/** A body that may be left out. */
function optionalBody(check: object): NonNullable<Operation['body']> {
  return { ...jsonContent(shapeOf(check)), isRequired: false }
}

const before: Parameter = { type: 'string', description: 'The page ends before the entry with this id.' }

const next: Parameter = { type: 'string', description: '`next` of the page before.' }

const shelf: Parameter = { type: 'string', description: '`pinned`, `archived`, or `none`: neither. Default: all.' }

const title: Parameter = { type: 'string', description: 'A part of the title, in upper or lower case. Default: all.' }

/** The routes of conversations. */
export const conversationOperations: Operations = {
  'GET /api/models': { summary: 'List the models of conversations', response: jsonContent(ref('ModelChoices')) },
  'GET /api/tools': { summary: 'List the tools of the server', response: jsonContent(ref('Tools')) },
  'GET /api/changes': {
    summary: 'Follow the changes of all conversations',
    response: { description: 'Events', content: { 'text/event-stream': { type: 'string' } } },
  },
  'GET /api/conversations': {
    summary: 'List conversations, the last used first',
    query: { limit: limit(1_000, 50), before: next, shelf, title },
    response: jsonContent(ref('ConversationPage')),
  },
  'POST /api/conversations': {
    summary: 'Create a conversation',
    body: optionalBody(createBody),
    response: { ...conversation, status: 201 },
  },
  'POST /api/conversations/import': {
    summary: 'Import conversations',
    body: { content: { 'application/x-ndjson': { type: 'string' } } },
    response: { ...jsonContent(ref('Imported')), status: 201 },
  },
  'GET /api/conversations/search': {
    summary: 'Search messages',
    query: { q: { type: 'string', description: 'The words.' }, limit: limit(200, 20) },
    response: jsonContent(ref('FoundMessages')),
  },
  'GET /api/conversations/:id': {
    summary: 'Read a conversation and the end of its path',
    query: { limit: limit(1_000, 50) },
    response: conversation,
  },
  'PATCH /api/conversations/:id': {
    summary: 'Change the title, the metadata, the shelf or the settings',
    body: optionalBody(changeBody),
    response: conversation,
  },
  'DELETE /api/conversations/:id': {
    summary: 'Delete a conversation, which can be taken back for a while',
    response: jsonContent(ref('ConversationDeleted')),
  },
  'POST /api/conversations/:id/restore': { summary: 'Take a deletion back', response: conversation },
  'GET /api/conversations/:id/messages': {
    summary: 'Read a page of a path',
    query: {
      limit: limit(1_000, 50),
      before,
      leaf: { type: 'string', description: 'The last message of the path. Default: that of the active one.' },
    },
    response: jsonContent(ref('MessagePage')),
  },
  'GET /api/conversations/:id/tree': {
    summary: 'Read the tree of messages',
    response: jsonContent(ref('MessageTree')),
  },
  'GET /api/conversations/:id/messages/:messageId/versions': {
    summary: 'Read the versions of a message',
    response: jsonContent(ref('MessageList')),
  },
  'GET /api/conversations/:id/messages/:messageId/cost': {
    summary: 'Read what a reply cost, line by line',
    response: jsonContent(ref('ReplyCost')),
  },
  'GET /api/conversations/:id/messages/:messageId/exchange': {
    summary: 'Read the request of a reply, its response and the times of its events',
    response: jsonContent(ref('Exchange')),
  },
  'GET /api/conversations/:id/messages/:messageId/blocks/:index': {
    summary: 'Download the file of a block',
    response: { description: 'The bytes of the file', content: { '*/*': { type: 'string' } } },
  },
  'GET /api/conversations/:id/export': {
    summary: 'Export a conversation',
    response: { content: { 'application/x-ndjson': { type: 'string' } } },
  },
  'POST /api/conversations/:id/preview': {
    summary: 'Show the next request and the most that it can cost',
    body: optionalBody(previewBody),
    response: jsonContent(ref('Preview')),
  },
  'POST /api/conversations/:id/send': {
    summary: 'Send a message',
    body: jsonContent(shapeOf(sendBody)),
    response: events,
  },
  'POST /api/conversations/:id/edit': {
    summary: 'Send another version of a message',
    body: jsonContent(shapeOf(editBody)),
    response: events,
  },
  'POST /api/conversations/:id/retry': {
    summary: 'Request another version of a reply',
    body: optionalBody(retryBody),
    response: events,
  },
  'POST /api/conversations/:id/continue': {
    summary: 'Continue an interrupted reply',
    body: optionalBody(turnBody),
    response: events,
  },
  'POST /api/conversations/:id/calls/:callId/run': {
    summary: 'Run a tool call that waits for its result',
    description: 'The response is a `tool_result` block, which `send` takes.',
    response: jsonContent(ref('ToolResult')),
  },
  'GET /api/conversations/:id/turn': {
    summary: 'Join the turn in flight',
    description: 'The header `last-event-id` names the last event that arrived.',
    response: events,
  },
  'POST /api/conversations/:id/stop': { summary: 'Stop the turn in flight', response: jsonContent(ref('Stopped')) },
  'POST /api/conversations/:id/undo': {
    summary: 'Take turns back',
    body: optionalBody(undoBody),
    response: conversation,
  },
  'POST /api/conversations/:id/switch': {
    summary: 'Switch to the branch of a message',
    body: jsonContent(shapeOf(messageBody)),
    response: conversation,
  },
  'POST /api/conversations/:id/erase': {
    summary: 'Erase a message and all that follow it',
    body: jsonContent(shapeOf(eraseBody)),
    response: conversation,
  },
  'POST /api/conversations/:id/erase/undo': {
    summary: 'Take an erasure back',
    body: jsonContent(shapeOf(messageBody)),
    response: conversation,
  },
  'POST /api/conversations/:id/fork': {
    summary: 'Begin another conversation with the messages of this one',
    body: optionalBody(forkBody),
    response: { ...conversation, status: 201 },
  },
}
