import type { Option } from './command.ts'

/** The model that replies, and what is sent with the message. */
export const modelOptions: readonly Option[] = [
  {
    name: 'model',
    short: 'm',
    kind: 'text',
    value: 'MODEL',
    about: 'The model to talk to; also a .gguf file, or one of this machine such as ollama/llama3.2:1b',
  },
  { name: 'system', short: 's', kind: 'text', value: 'TEXT|@FILE', about: 'The system prompt' },
  { name: 'file', short: 'f', kind: 'texts', value: 'FILE|URL|-', about: 'Attach a file; can be given several times' },
  { name: 'attach', short: 'a', kind: 'texts', value: 'FILE|URL|-', about: 'The same as --file' },
  {
    name: 'thinking',
    kind: 'choice',
    choices: ['off', 'low', 'medium', 'high', 'xhigh', 'max'],
    about: 'Whether and how hard the model thinks before it replies',
  },
  { name: 'max-tokens', kind: 'count', value: 'N', about: 'The longest reply, in tokens (default 8192)' },
  {
    name: 'engine',
    kind: 'text',
    value: 'ENGINE',
    about:
      'The engine: api, local, offline, FILE, URL or chat:URL (default api with a key, else a local model, else offline)',
  },
]

/** The tools that the model may call. */
export const toolOptions: readonly Option[] = [
  { name: 'mcp', kind: 'text', value: 'FILE', about: 'Give the model the tools of the MCP servers in a JSON file' },
  {
    name: 'allow-tool',
    kind: 'texts',
    value: 'NAME',
    about: 'With --mcp: run a tool without asking, such as files__read or files__*; can be given several times',
  },
]

/** Sources of settings and of the message. */
export const defaultsOptions: readonly Option[] = [
  { name: 'template', short: 't', kind: 'text', value: 'NAME', about: 'Put the message into a template of yours' },
  { name: 'var', kind: 'texts', value: 'NAME=VALUE', about: 'With --template: the value of a variable' },
  { name: 'profile', kind: 'text', value: 'NAME', about: 'Use the settings of a profile' },
]

/** The saved chat to continue. */
export const savedChatOptions: readonly Option[] = [
  { name: 'continue', short: 'c', kind: 'flag', about: 'Continue the last chat' },
  {
    name: 'resume',
    short: 'r',
    kind: 'maybe',
    value: 'ID|WORDS',
    about: 'Continue a chat; without a value, choose from a list',
  },
  {
    name: 'fork',
    kind: 'attached',
    value: 'N',
    about: 'With -c and -r: continue in a copy, or with --fork=N in one without the last N turns',
  },
  { name: 'no-save', kind: 'flag', about: 'Do not save this chat' },
]

/** The limits of a turn. */
export const turnOptions: readonly Option[] = [
  { name: 'timeout', kind: 'amount', value: 'SECONDS', about: 'The longest time for a reply (default 600)' },
  { name: 'retries', kind: 'count', value: 'N', about: 'How often to retry after a passing failure (default 2)' },
  { name: 'max-cost', kind: 'amount', value: 'USD', about: 'Send nothing that would cost the chat more than this' },
]

/** How a reply looks on a terminal. */
export const displayOptions: readonly Option[] = [
  { name: 'plain', kind: 'flag', about: 'Print whole lines as they finish, without colours or repainting' },
  { name: 'color', kind: 'choice', choices: ['auto', 'always', 'never'], about: 'When to use colours (default auto)' },
  { name: 'wrap', kind: 'choice', choices: ['word', 'soft', 'off'], about: 'How to wrap prose (default word)' },
  {
    name: 'cost',
    kind: 'choice',
    choices: ['off', 'short', 'full'],
    about: 'The line below each reply (default full)',
  },
]

/** The output of a single reply. */
export const oneReplyOptions: readonly Option[] = [
  {
    name: 'output',
    kind: 'choice',
    choices: ['text', 'json', 'stream-json'],
    about: 'The format of standard output (default text)',
  },
  { name: 'out', short: 'o', kind: 'text', value: 'FILE', about: 'Write the reply to a file' },
  {
    name: 'extract',
    short: 'x',
    kind: 'attached',
    value: 'LANGUAGE',
    about: 'Write only the first code block of the reply, or with -xpython the first in Python',
  },
  {
    name: 'json-schema',
    kind: 'text',
    value: 'FILE|JSON',
    about: 'Print JSON that satisfies this JSON Schema, or fail',
  },
  { name: 'usage', kind: 'flag', about: 'Print tokens and cost to standard error' },
  { name: 'strict', kind: 'flag', about: 'Exit with 8 if the reply was cut off or refused' },
]
