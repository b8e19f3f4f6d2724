import { withConfiguration } from '../../config/defaults.ts'
import { type Command, helpOption } from '../command.ts'
import {
  defaultsOptions,
  displayOptions,
  modelOptions,
  oneReplyOptions,
  savedChatOptions,
  toolOptions,
  turnOptions,
} from '../reply-options.ts'

/** `colloquy ask`. */
export const ask: Command = {
  name: 'ask',
  summary: 'Answer once and exit',
  synopsis: '[PROMPT…|-]',
  options: [
    ...modelOptions,
    ...toolOptions,
    ...defaultsOptions,
    ...savedChatOptions,
    ...oneReplyOptions,
    ...turnOptions,
    ...displayOptions,
    helpOption,
  ],
  examples: [
    ['colloquy ask "What is a monad?"', 'the reply streams to standard output'],
    ['git diff | colloquy ask "Write a commit message"', 'piped or redirected text follows the prompt'],
    ['colloquy ask --output json - <question.txt | jq .text', 'read standard input; one JSON object, also on failure'],
  ],
  run: async (words, flags) => (await import('./ask.ts')).ask(words, await withConfiguration(flags)),
}
