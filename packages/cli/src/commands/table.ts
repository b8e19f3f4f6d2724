import type * as localModels from './models/local-models.ts'
import type * as manageChats from './manage-chats.ts'
import {
  type Command,
  databaseOption,
  helpOption,
  jsonOption,
  type Option,
  type Run,
  type Subcommand,
} from './command.ts'
import { config } from './config/command.ts'
import { keys } from './keys/command.ts'
import { usage } from './usage/command.ts'
import { withConfiguration } from '../config/defaults.ts'

const modelOptions: readonly Option[] = [
  {
    name: 'model',
    short: 'm',
    kind: 'text',
    value: 'MODEL',
    about: 'The model to talk to; also a .gguf file, or one of this machine such as ollama/llama3.2:1b',
  },
  { name: 'system', short: 's', kind: 'text', value: 'TEXT|@FILE', about: 'The system prompt' },
  { name: 'file', short: 'f', kind: 'texts', value: 'FILE|URL|-', about: 'Attach a file; can be given several times' },
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
    value: 'api|local|offline|FILE|URL',
    about: 'The engine that replies (default api with a key, else a local model, else offline)',
  },
]

const defaultsOptions: readonly Option[] = [
  { name: 'template', short: 't', kind: 'text', value: 'NAME', about: 'Put the message into a template of yours' },
  { name: 'var', kind: 'texts', value: 'NAME=VALUE', about: 'With --template: the value of a variable' },
  { name: 'profile', kind: 'text', value: 'NAME', about: 'Use the settings of a profile' },
]

const savedChatOptions: readonly Option[] = [
  { name: 'continue', short: 'c', kind: 'flag', about: 'Continue the last chat' },
  {
    name: 'resume',
    short: 'r',
    kind: 'maybe',
    value: 'ID|WORDS',
    about: 'Continue a chat; without a value, choose from a list',
  },
  { name: 'no-save', kind: 'flag', about: 'Do not save this chat' },
]

const turnOptions: readonly Option[] = [
  { name: 'timeout', kind: 'amount', value: 'SECONDS', about: 'The longest time for a reply (default 600)' },
  { name: 'retries', kind: 'count', value: 'N', about: 'How often to retry after a passing failure (default 2)' },
  { name: 'max-cost', kind: 'amount', value: 'USD', about: 'Send nothing that would cost the chat more than this' },
]

const displayOptions: readonly Option[] = [
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

const oneReplyOptions: readonly Option[] = [
  {
    name: 'output',
    kind: 'choice',
    choices: ['text', 'json', 'stream-json'],
    about: 'The format of standard output (default text)',
  },
  { name: 'out', short: 'o', kind: 'text', value: 'FILE', about: 'Write the reply to a file' },
  { name: 'extract', short: 'x', kind: 'flag', about: 'Write only the first code block of the reply' },
  {
    name: 'json-schema',
    kind: 'text',
    value: 'FILE|JSON',
    about: 'Print JSON that satisfies this JSON Schema, or fail',
  },
  { name: 'usage', kind: 'flag', about: 'Print tokens and cost to standard error' },
  { name: 'strict', kind: 'flag', about: 'Exit with 8 if the reply was cut off or refused' },
]

/** Loads `manage-chats.ts` when one of its subcommands is called. */
function managed(name: keyof typeof manageChats): Run {
  return async (words, flags) => (await import('./manage-chats.ts'))[name](words, flags)
}

const chatSubcommands: readonly Subcommand[] = [
  { name: 'list', synopsis: '', summary: 'List the chats, newest first', run: managed('list') },
  { name: 'search', synopsis: 'WORDS', summary: 'Find messages with all the words', run: managed('search') },
  { name: 'show', synopsis: 'ID', summary: 'Print a chat', run: managed('show') },
  { name: 'export', synopsis: 'ID', summary: 'Print a chat as Markdown, JSON or HTML', run: managed('exportOne') },
  {
    name: 'import',
    synopsis: 'FILE|-',
    summary: 'Add chats from a file of Colloquy, ChatGPT, Claude.ai, Claude Code, …',
    run: managed('importFile'),
  },
  { name: 'rename', synopsis: 'ID TITLE', summary: 'Change the title of a chat', run: managed('rename') },
  { name: 'check', synopsis: '[ID]', summary: 'Find damage in the saved chats, or in one', run: managed('check') },
  { name: 'delete', synopsis: 'ID', summary: 'Delete a chat', run: managed('remove') },
]

export const chat: Command = {
  name: 'chat',
  summary: 'Chat; without a terminal, answer once',
  synopsis: '[PROMPT…]',
  subcommands: chatSubcommands,
  options: [
    ...modelOptions,
    ...defaultsOptions,
    ...savedChatOptions,
    { name: 'title', kind: 'text', value: 'TITLE', about: 'The title of a new chat' },
    { name: 'print', short: 'p', kind: 'flag', about: 'Answer once and exit, as `ask` does' },
    ...oneReplyOptions,
    ...turnOptions,
    ...displayOptions,
    { name: 'format', kind: 'choice', choices: ['md', 'json', 'html'], about: 'With export: the format (default md)' },
    { name: 'limit', kind: 'count', value: 'N', about: 'With list and search: the most lines (default 20)' },
    { name: 'yes', short: 'y', kind: 'flag', about: 'With delete: do not ask for confirmation' },
    jsonOption,
    helpOption,
  ],
  examples: [
    ['colloquy chat', 'start a new chat'],
    ['colloquy chat -c', 'continue the last chat'],
    ['colloquy chat -m claude-opus-5-5 -s "Answer in one line."', 'choose the model and the system prompt'],
  ],
  async run(words, flags) {
    const subcommand = chatSubcommands.find(({ name }) => name === words[0])
    if (subcommand !== undefined) return subcommand.run(words.slice(1), flags)
    const isOneReply = ['print', 'output', 'json-schema'].some((name) => flags.has(name))
    if (isOneReply || !process.stdin.isTTY || !process.stdout.isTTY) return ask.run(words, flags)
    return (await import('./chat.ts')).chat(words, await withConfiguration(flags))
  },
}

const ask: Command = {
  name: 'ask',
  summary: 'Answer once and exit',
  synopsis: '[PROMPT…|-]',
  options: [
    ...modelOptions,
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

/** The options of `serve` and `web`. */
const serveOptions: readonly Option[] = [
  { name: 'port', kind: 'count', value: 'N', about: 'The port (default 4141)' },
  { name: 'host', kind: 'text', value: 'ADDRESS', about: 'The address to listen on (default 127.0.0.1)' },
  {
    name: 'engine',
    kind: 'text',
    value: 'api|local|offline|FILE|URL',
    about: 'The engine that replies (default offline; for web and --open that of a chat)',
  },
  { name: 'no-api', kind: 'flag', about: 'Serve the console only' },
  { name: 'print-token', kind: 'flag', about: 'Print the link with its token also if the output is not a terminal' },
  { name: 'token-file', kind: 'text', value: 'FILE', about: 'Write the token for programs that use /api to a file' },
  { name: 'allow-host', kind: 'texts', value: 'NAME', about: 'Another host name that requests may be sent to' },
  databaseOption,
  { name: 'quiet', short: 'q', kind: 'flag', about: 'Do not log requests' },
  { name: 'json', kind: 'flag', about: 'Log one JSON object a line' },
]

const serve: Command = {
  name: 'serve',
  summary: 'Serve the Messages API on a port of this machine',
  synopsis: '',
  options: [
    ...serveOptions,
    { name: 'open', kind: 'flag', about: 'Open the console in the browser' },
    { name: 'config', kind: 'text', value: 'FILE', about: 'Engines, routes, keys and limits in a JSON file' },
    { name: 'check', kind: 'flag', about: 'With --config: check the file and exit' },
    { name: 'schema', kind: 'flag', about: 'Print the JSON Schema of the file, for editors' },
    { name: 'no-console', kind: 'flag', about: 'Serve no console' },
    { name: 'testing', kind: 'flag', about: 'Take scripted replies and faults at /testing (this machine only)' },
    { name: 'lenient', kind: 'flag', about: 'Accept retired and unknown models and fields' },
    { name: 'redis', kind: 'text', value: 'URL', about: 'Count limits with other servers in Redis or Valkey' },
    { name: 'key-file', kind: 'text', value: 'FILE', about: 'More access keys, one a line, without limits' },
    { name: 'metrics', kind: 'flag', about: 'Answer GET /metrics for Prometheus' },
    {
      name: 'log',
      kind: 'choice',
      choices: ['metadata', 'full'],
      about: 'full: also log the text of requests and replies (default metadata)',
    },
    helpOption,
  ],
  examples: [
    ['colloquy serve', 'the offline engine for tests: no key, no cost'],
    ['colloquy serve --open', 'and open the console'],
    ['colloquy serve --engine api --port 8080', 'forward to Claude with your key'],
    ['colloquy serve --config colloquy.json', 'several engines, chosen by the model of a request'],
    ['ANTHROPIC_BASE_URL=http://127.0.0.1:4141 claude', 'point any client at it'],
  ],
  run: async (_words, flags) => (await import('./serve.ts')).serve(flags),
}

const web: Command = {
  name: 'web',
  summary: 'Open the console: chats, usage and requests in the browser',
  synopsis: '',
  options: [...serveOptions, helpOption],
  examples: [
    ['colloquy web', 'the same chats as in the terminal'],
    ['colloquy web --engine local', 'with a model of this machine'],
    ['colloquy web --port 8080', 'on another port'],
  ],
  run: async (_words, flags) => (await import('./serve.ts')).web(await withConfiguration(flags)),
}

const cassetteOptions: readonly Option[] = [
  { name: 'port', kind: 'count', value: 'N', about: 'The port (default 4142; with a command, any free one)' },
  { name: 'ignore', kind: 'texts', value: 'PATH', about: 'A field that may differ, such as metadata.user_id' },
  { name: 'timing', kind: 'flag', about: 'Record and replay the time before each event' },
]
const cassetteLogOptions: readonly Option[] = [
  { name: 'quiet', short: 'q', kind: 'flag', about: 'Do not log requests' },
  { name: 'json', kind: 'flag', about: 'Log one JSON object a line' },
  helpOption,
]

const record: Command = {
  name: 'record',
  summary: 'Record requests and replies to a file, for tests in any language',
  synopsis: 'FILE [-- COMMAND…]',
  options: [
    {
      name: 'engine',
      kind: 'text',
      value: 'api|local|offline|FILE|URL',
      about: 'The engine that replies (default api)',
    },
    { name: 'new', kind: 'flag', about: 'Replace the file, instead of adding what it lacks' },
    ...cassetteOptions,
    ...cassetteLogOptions,
  ],
  examples: [
    ['colloquy record trip.json -- pytest', 'run tests against the API, and record what they ask'],
    ['colloquy record trip.json', 'record until Ctrl-C; point any client at the address'],
  ],
  run: async (words, flags) => (await import('./cassette.ts')).recordTo(words, flags),
}

const replay: Command = {
  name: 'replay',
  summary: 'Answer with the replies of a recorded file',
  synopsis: 'FILE [-- COMMAND…]',
  options: [...cassetteOptions, ...cassetteLogOptions],
  examples: [
    ['colloquy replay trip.json -- pytest', 'run the same tests without a key and a network'],
    ['colloquy replay trip.json --port 4141', 'answer until Ctrl-C'],
  ],
  run: async (words, flags) => (await import('./cassette.ts')).replayFrom(words, flags),
}

/** Loads `local-models.ts` when one of its subcommands is called. */
function ofLocalModels(name: keyof typeof localModels): Run {
  return async (words, flags) => (await import('./models/local-models.ts'))[name](words, flags)
}

const modelSubcommands: readonly Subcommand[] = [
  {
    name: 'local',
    synopsis: '',
    summary: 'List the models on this machine, and those to fetch',
    run: ofLocalModels('list'),
  },
  {
    name: 'get',
    synopsis: 'NAME|hf:USER/REPOSITORY[:QUANTIZATION]|URL|FILE',
    summary: 'Fetch a model, and use it if there is no key',
    run: ofLocalModels('get'),
  },
  {
    name: 'use',
    synopsis: 'NAME|FILE',
    summary: 'Use a model of this machine if there is no key',
    run: ofLocalModels('use'),
  },
  { name: 'remove', synopsis: 'NAME', summary: 'Remove a model that was fetched', run: ofLocalModels('remove') },
]

const models: Command = {
  name: 'models',
  summary: 'List the models that can reply; fetch and choose those of this machine',
  synopsis: '[WORDS]',
  subcommands: modelSubcommands,
  options: [
    { name: 'yes', short: 'y', kind: 'flag', about: 'With get: do not ask for confirmation' },
    jsonOption,
    helpOption,
  ],
  examples: [
    ['colloquy models', 'Claude, and the models of servers and files on this machine'],
    ['colloquy models get hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF:q4_k_m', 'a file of the Hugging Face hub'],
    ['colloquy models get smollm2', 'a small model for this machine, 98 MB'],
  ],
  async run(words, flags) {
    const subcommand = modelSubcommands.find(({ name }) => name === words[0])
    if (subcommand !== undefined) return subcommand.run(words.slice(1), flags)
    return (await import('./models/list-models.ts')).listModels(words, flags)
  },
}

const templates: Command = {
  name: 'templates',
  summary: 'List or show the templates of --template',
  synopsis: '[NAME]',
  options: [jsonOption, helpOption],
  examples: [
    ['colloquy templates', 'their names and first lines'],
    ['colloquy templates translate', 'one of them'],
    ['colloquy ask -t translate --var language=German "Good morning"', 'use it'],
  ],
  run: async (words, flags) => (await import('./config/templates.ts')).showTemplates(words, flags),
}

const completion: Command = {
  name: 'completion',
  summary: 'Print a script that completes command lines in a shell',
  synopsis: 'bash|zsh|fish|powershell',
  options: [helpOption],
  examples: [
    ['source <(colloquy completion bash)', 'in ~/.bashrc; for zsh the same in ~/.zshrc'],
    ['colloquy completion fish > ~/.config/fish/completions/colloquy.fish', 'for fish'],
    ['colloquy completion powershell | Out-String | Invoke-Expression', 'in the profile of PowerShell'],
  ],
  run: async (words) => (await import('./completion/completion.ts')).completion(words, commands),
}

const paths: Command = {
  name: 'paths',
  summary: 'Show where the program keeps its files',
  synopsis: '',
  options: [jsonOption, helpOption],
  examples: [
    ['colloquy paths', 'each file, and whether it exists'],
    ['colloquy paths --json', 'the same for programs'],
    ['XDG_DATA_HOME="$PWD" colloquy chat', 'keep chats in another folder'],
  ],
  run: async (_words, flags) => (await import('./paths.ts')).showPaths(flags),
}

export const commands: readonly Command[] = [
  chat,
  ask,
  serve,
  web,
  keys,
  usage,
  record,
  replay,
  models,
  config,
  templates,
  completion,
  paths,
]
