/** Takes pieces as they arrive. Its methods never throw. */
export interface Sink<Piece> {
  /** Takes the next piece, or undefined at the end. Returns whether it wants more. */
  write(piece: Piece | undefined): boolean
  fail(error: Error): void
}

/** A sink for one piece, which settles a promise. */
export function readOne<Piece>(
  resolve: (piece: Piece | undefined) => void,
  reject: (error: Error) => void,
): Sink<Piece> {
  return {
    write(piece) {
      resolve(piece)
      return false
    },
    fail: reject,
  }
}
