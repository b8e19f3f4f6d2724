import { settings } from '../../packages/cli/src/config/settings.ts'
import { configSchema } from '../../packages/cli/src/commands/serve/config/config.ts'
import { type Shape, code, kindOf, sentence, table, writtenBy } from './markdown.ts'
import { sharedVariables, variables } from './variables.ts'

/** The page of all settings: of the program, of the server, and of the environment. */
export function configurationPage(): string {
  return [
    writtenBy('packages/cli/src/config/settings.ts, packages/cli/colloquy.schema.json and scripts/pages/variables.ts'),
    '# Configuration\n',
    'Three things are configured: the program `colloquy`, a server by `colloquy serve --config FILE`, and clients by variables',
    'of the environment. A program of yours passes options instead: see the [API reference](../CONTRIBUTING.md#commands).\n',
    '## The program\n',
    '`colloquy config set NAME VALUE` writes a setting, `colloquy config list --origin` shows each value and its origin.',
    "A flag comes first, then a variable, the project's file, the profile, and your own file.\n",
    table(['setting', 'value', 'default', 'variables', ''], settings.map(settingRow)),
    '\nSettings marked with * are taken from your own file only: the folder of a stranger must not choose where messages and',
    'keys are sent.\n',
    '## The server\n',
    'The file of `colloquy serve --config`. `colloquy serve --schema` prints its JSON Schema for editors, and `--check` checks a',
    'file. Texts may contain `${NAME}` for a variable of the environment. [Examples](server.md#a-configuration-file).\n',
    table(['key', 'value', ''], rowsOf(configSchema)),
    '',
    ...enginesOf(configSchema),
    '## Variables\n',
    table(
      ['variable', ''],
      variables.map(([name, about]) => [code(name), sentence(about)]),
    ),
    '\n### Variables of other programs and of the system\n',
    table(
      ['variable', ''],
      sharedVariables.map(([name, about]) => [code(name), sentence(about)]),
    ),
    '',
  ].join('\n')
}

function settingRow({
  name,
  kind,
  choices,
  variables: names = [],
  otherwise,
  isPersonal,
  about,
}: (typeof settings)[number]) {
  const value = choices ? choices.map(code).join(', ') : kind === 'text' ? 'text' : 'number'
  const mark = isPersonal ? ' *' : ''
  return [code(name) + mark, value, otherwise ? code(otherwise) : '', names.map(code).join(', '), sentence(about)]
}

/** A row for each key, and for the keys of objects in it. Keys without a description are only named. */
function rowsOf({ properties = {} }: Shape, path = ''): string[][] {
  return Object.entries(properties)
    .filter(([, { description }]) => description)
    .flatMap(([name, each]) => {
      const key = path === '' ? name : `${path}.${name}`
      const inner = name === 'engines' ? {} : innerOf(each)
      const names = Object.entries(inner).filter(([, { description }]) => !description)
      const others = names.length > 0 ? ` Its keys: ${names.map(([other]) => code(other)).join(', ')}.` : ''
      const suffix = each.items ? '[]' : each.properties ? '' : '.*'
      return [
        [code(key), kindOf(each), sentence(each.description!) + others],
        ...rowsOf({ properties: inner }, key + suffix),
      ]
    })
}

/** The keys of an object, of the objects of a list, or of the one object among several forms. */
function innerOf({ properties, items, additionalProperties: values }: Shape): Record<string, Shape> {
  if (properties ?? items?.properties) return (properties ?? items?.properties)!
  const object = typeof values === 'object' ? values.anyOf?.find((form) => form.properties) : undefined
  return object?.properties ?? {}
}

/** A table for each type of engine. */
function enginesOf({ properties }: Shape): string[] {
  const forms = (properties!['engines']!.additionalProperties as Shape).anyOf!
  return forms.flatMap(({ properties: { type, ...others } = {} }) => [
    `### An engine of type ${String(type!.const)}\n`,
    table(['key', 'value', ''], rowsOf({ properties: others })),
    '',
  ])
}
