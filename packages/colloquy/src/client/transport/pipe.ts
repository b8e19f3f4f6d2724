import type { Sink } from './sink.ts'

/** A source whose pieces are read one by one, or written to a sink if it can do so without a promise for each. */
interface PieceSource<Piece> {
  read(): Promise<Piece | undefined>
  pipe?(sink: Sink<Piece>): void
}

/** Writes each piece of the source to the sink, for as long as it wants more. */
export function pipe<Piece>(source: PieceSource<Piece>, sink: Sink<Piece>): void {
  if (source.pipe) return source.pipe(sink)
  source.read().then(
    (piece) => {
      if (sink.write(piece)) pipe(source, sink)
    },
    (error: Error) => sink.fail(error),
  )
}
