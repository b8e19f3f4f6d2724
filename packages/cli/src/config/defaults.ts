import { UsageError } from '../exit.ts'
import type { Flags } from '../flags.ts'
import { configuration } from './configuration.ts'
import { fillTemplate, readTemplate, takesInput, type Template } from './template.ts'

/** The flags with the values of the template, and then those of the configuration, where none was given. */
export async function withConfiguration(flags: Flags): Promise<Flags> {
  const found = await configuration({ profile: flags.text('profile') })
  const template = await templateOf(flags)
  const [variable] = flags.texts('var')
  if (template === undefined && variable !== undefined)
    throw new UsageError(`Cannot use --var ${variable} without --template`)
  return flags.withDefaults(
    new Map([...[...found].map(([name, { value }]) => [name, value] as const), ...(template?.settings ?? [])]),
  )
}

/** The message in the template of `--template`; unchanged without one. */
export async function inTemplate(text: string, flags: Flags): Promise<string> {
  const template = await templateOf(flags)
  return template === undefined ? text : fillTemplate(template, flags.texts('var'), text)
}

/** How a chat with a template begins without a message: with the template's text, to be sent or to be completed. */
export async function templateStart(flags: Flags): Promise<{ text: string; isComplete: boolean } | undefined> {
  const template = await templateOf(flags)
  if (template === undefined || template.body === '') return undefined
  return { text: fillTemplate(template, flags.texts('var'), ''), isComplete: !takesInput(template) }
}

async function templateOf(flags: Flags): Promise<Template | undefined> {
  const name = flags.text('template')
  return name === undefined ? undefined : readTemplate(name)
}
