import { AnthropicError } from '../../protocol/types/error.ts'

const prefix = '/memories'

/** The longest name that common file systems take, in UTF-8 bytes. */
const maxNameBytes = 255

/**
 * The names below the memory folder that a path of the model leads through; none for `/memories` itself. Throws an
 * `AnthropicError` when a name could lead out of the folder on any file system, or mean another file than it says.
 */
export function namesIn(path: string): string[] {
  if (path !== prefix && !path.startsWith(`${prefix}/`)) {
    throw new AnthropicError(`Path must start with ${prefix}, got: ${path}`)
  }
  const below = path.slice(prefix.length).replace(/^\/|\/$/g, '')
  if (below === '') return []
  const names = below.split('/')
  if (names.some((name) => isEscape(name))) {
    throw new AnthropicError(`Path ${path} would escape ${prefix} directory`)
  }
  const odd = names.find((name) => isOdd(name))
  if (odd !== undefined) {
    throw new AnthropicError(`Path ${path} has a name that cannot be used for a file: ${JSON.stringify(odd)}`)
  }
  return names
}

/** Whether a name, as it stands or once it is decoded, is a step up or holds a separator. */
function isEscape(name: string): boolean {
  return [name, decoded(name), name.normalize('NFKC')].some((form) => /^\.{1,2}$|[/\\]/.test(form))
}

/** Percent-encoding is undone as often as it was done. */
function decoded(name: string): string {
  const once = name.replaceAll(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  return once === name ? name : decoded(once)
}

// Windows reads `a:b` as a stream of the file `a`, drops dots and spaces at the end, and knows some names as devices.
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i

function isOdd(name: string): boolean {
  return (
    name === '' ||
    /[\u0000-\u001f\u007f:]|[. ]$/.test(name) ||
    device.test(name) ||
    !name.isWellFormed() ||
    new TextEncoder().encode(name).length > maxNameBytes
  )
}
