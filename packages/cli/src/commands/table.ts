import { ask } from './ask/command.ts'
import { record, replay } from './cassette/command.ts'
import { chat } from './chat/command.ts'
import { type Command, helpOption, jsonOption } from './command.ts'
import { config } from './config/command.ts'
import { keys } from './keys/command.ts'
import { models } from './models/command.ts'
import { serve, web } from './serve/command.ts'
import { usage } from './usage/command.ts'

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
