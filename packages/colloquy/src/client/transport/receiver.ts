/** Takes what comes piece by piece, in the moment it comes. It never throws. */
export interface Receiver<Piece> {
  /** Undefined is the end. Returns whether it wants more. */
  receive(piece: Piece | undefined): boolean
  fail(error: Error): void
}

/** Takes one piece, for a promise. */
export function once<Piece>(
  resolve: (piece: Piece | undefined) => void,
  reject: (error: Error) => void,
): Receiver<Piece> {
  return {
    receive(piece) {
      resolve(piece)
      return false
    },
    fail: reject,
  }
}

/** Takes all pieces of what can only be read. */
export async function readEach<Piece>(
  from: { read(): Promise<Piece | undefined> },
  take: (piece: Piece) => void,
): Promise<void> {
  for (let piece = await from.read(); piece !== undefined; piece = await from.read()) take(piece)
}
