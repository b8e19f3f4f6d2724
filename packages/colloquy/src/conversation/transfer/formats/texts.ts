import { type SourceBlock, textBlock } from '../blocks.ts'
import { isVisible, printed } from '../values.ts'

/** The texts that have a visible character, each as a block. */
export function visibleBlocks(texts: readonly unknown[]): SourceBlock[] {
  return texts.filter(isVisible).map(textBlock)
}

/** A call of a tool of another program, as Markdown. */
export function callText(name: unknown, input: unknown): string {
  return `${printed(name)}:\n${fenced(printed(input), 'json')}`
}

/** A code block of Markdown, with a fence that the text does not contain. */
export function fenced(text: string, language = ''): string {
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)))
  return `${fence}${language}\n${text}\n${fence}`
}
