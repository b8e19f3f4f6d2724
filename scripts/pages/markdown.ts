/** The parts of a JSON Schema that a page shows. */
export interface Shape {
  $ref?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: Shape[]
  oneOf?: Shape[]
  type?: string | string[]
  description?: string
  items?: Shape
  properties?: Record<string, Shape>
  required?: string[]
  additionalProperties?: Shape | boolean
}

/** The first line of a page that is written by a program. */
export function writtenBy(source: string): string {
  return `<!-- Written by \`npm run docs:pages\` from ${source}. Change that instead. -->\n`
}

/** A table of Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** Text in the type of code. */
export function code(text: string): string {
  return `\`${text}\``
}

/** A sentence with a capital letter and a full stop. */
export function sentence(text: string): string {
  const whole = text.trim()
  return `${whole[0]?.toUpperCase() ?? ''}${whole.slice(1)}${/[.:?!]$/.test(whole) ? '' : '.'}`
}

/** The values that a schema accepts, in a few words. */
export function kindOf(schema: Shape): string {
  const { $ref, type, items, properties } = schema
  if ($ref) return code($ref.split('/').at(-1)!)
  if ('const' in schema) return code(JSON.stringify(schema.const))
  if (schema.enum) return schema.enum.map((each) => code(JSON.stringify(each))).join(', ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return [...new Set(choices.map(kindOf))].join(' or ')
  if (type === 'array') return `list of ${items ? kindOf(items) : 'anything'}`
  if (type === 'object' && properties?.['env']) return '`{ "env": "NAME" }`'
  return (Array.isArray(type) ? type.join(' or ') : type) ?? 'anything'
}
