// Writes the pages of docs/ that follow from the sources: commands, configuration and endpoints.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commandsPage } from './commands.ts'
import { configurationPage } from './configuration.ts'
import { endpointsPage } from './endpoints.ts'

/** The text of each page by its name in docs/. */
export const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  'commands.md': commandsPage,
  'configuration.md': configurationPage,
  'endpoints.md': endpointsPage,
}

if (import.meta.main)
  for (const [name, text] of Object.entries(pages))
    writeFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), await text())
