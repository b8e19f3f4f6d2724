const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Makes a unique id in the API's form: the prefix and 22 letters and digits, such as `msg_01…` or `toolu_01…`. */
export function newId(prefix: string): string {
  // 22 of 58 characters hold 128 bits. The bias of the modulo does not matter for uniqueness.
  let id = prefix
  for (const byte of crypto.getRandomValues(new Uint8Array(22))) id += alphabet[byte % alphabet.length]
  return id
}
