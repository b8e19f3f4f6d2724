type Encode = (body: object) => string | readonly Uint8Array[]

// Replaced by the first value that has JSON attached: a program that attaches none does not load the code for it.
let encode: Encode = JSON.stringify

/** Makes a function the encoder of request bodies. */
export function encodeBodiesWith(encoder: Encode): void {
  encode = encoder
}

/** The JSON of a request body. Throws what `JSON.stringify` throws. */
export function bodyJson(body: object): string | readonly Uint8Array[] {
  return encode(body)
}
