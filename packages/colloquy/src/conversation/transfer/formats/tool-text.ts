import { printed } from '../unknown-file.ts'

/** A call of a tool of another program, as Markdown. */
export function callText(name: unknown, input: unknown): string {
  return `${printed(name)}:\n${fenced(printed(input), 'json')}`
}

/** A code block of Markdown, with a fence that the text does not contain. */
export function fenced(text: string, language = ''): string {
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)))
  return `${fence}${language}\n${text}\n${fence}`
}
