// A symbol, so that the text never goes into JSON, and enumerable, so that a copy of the block carries it along.
const partialText: unique symbol = Symbol('partial input')

/**
 * The text of a tool's input, as far as it came, where it is no whole JSON: cut off by `max_tokens` or by the connection,
 * or malformed. Undefined where `input` is what the model wrote.
 *
 * The block's `input` is then what can be read of the text (see `JsonReader`), which is for showing only: do not call the
 * tool with it. The text stays with the block and with copies by spread, but is no part of its JSON and is not kept by
 * `structuredClone`; who stores the block and wants the text stores it beside, and gives it back by `setPartialInput`.
 */
export function partialInput(block: object): string | undefined {
  return (block as { [partialText]?: string })[partialText]
}

/** Says that `text` is all there is of the block's input, or, with undefined, that the input is whole. */
export function setPartialInput(block: object, text: string | undefined): void {
  const marked = block as { [partialText]?: string }
  if (text !== undefined) marked[partialText] = text
  else if (partialText in marked) delete marked[partialText]
}
