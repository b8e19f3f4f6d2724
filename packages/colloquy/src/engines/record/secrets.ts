const removed = '[removed]'

const names = [
  'authorization(?:_token)?',
  '(?:x-)?api[-_]?key',
  '(?:access|refresh|id)_token',
  '(?:client_)?secret',
  'private_key',
  'passw(?:or)?d',
  '(?:set-)?cookie',
].join('|')

/** Names of fields whose value is a secret, wherever they are. */
const secretNames = new RegExp(`^(?:${names})$`, 'i')

/** Values of such fields in JSON within a text, such as the input of a tool, and in JSON within that. */
const secretsInJson: readonly RegExp[] = [
  new RegExp(String.raw`(?<="(?:${names})"\s{0,9}:\s{0,9}")(?:[^"\\]|\\.)+`, 'gi'),
  new RegExp(String.raw`(?<=\\"(?:${names})\\"\s{0,9}:\s{0,9}\\")[^"\\]+`, 'gi'),
]

/** Texts that are secrets by their form: keys of APIs and of clouds, tokens, signed tokens, passwords in addresses. */
const secretForms: readonly RegExp[] = [
  /\bsk-ant-[\w-]{8,}/g,
  /\bsk-[\w-]{20,}/g,
  /\bgh[opsru]_\w{30,}/g,
  /\bxox[abprs]-[\w-]{10,}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /\bAIza[\w-]{35}/g,
  /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g,
  /(?<=\bBearer )[\w.~+/-]{12,}=*/g,
  /(?<=:\/\/[^\s/:@]{0,100}:)[^\s/@]+(?=@)/g,
]

/** Returns a function that copies a JSON value without its secrets. */
export function secretRemover(secrets: readonly (string | RegExp)[]): <Value>(value: Value) => Value {
  const given = secrets.filter((secret) => secret !== '').map(globalPattern)
  const hide = (text: string): string =>
    [...given, ...secretForms, ...secretsInJson].reduce((rest, pattern) => rest.replace(pattern, removed), text)
  const copy = (value: unknown, name = ''): unknown => {
    if (typeof value === 'string') return secretNames.test(name) ? removed : hide(value)
    if (Array.isArray(value)) return value.map((item) => copy(item, name))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner, key)]))
  }
  return <Value>(value: Value) => copy(value) as Value
}

function globalPattern(secret: string | RegExp): RegExp {
  if (typeof secret !== 'string') return new RegExp(secret.source, secret.flags.replace('g', '') + 'g')
  return new RegExp(secret.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`), 'g')
}
