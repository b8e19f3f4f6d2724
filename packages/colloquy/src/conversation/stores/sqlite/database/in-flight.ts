import type { FinishStep } from '../../store.ts'

/**
 * The condition that a message is a certain reply, in SQL. Its parameters are its row id and the checksum of its place, or null if
 * that is not known: SQLite uses the row ids of erased messages again.
 */
export const isReply = 'id = ? AND place_checksum IS coalesce(?, place_checksum)'

/** The replies of the turns that a process has begun. */
export class RepliesInFlight {
  /** The checksums of their places, by handle. */
  readonly #places = new Map<number, number>()
  /** The handles of those that have ended and are kept: they have a lease because their tools run, or they were erased. */
  readonly #ended = new Set<number>()

  /** The checksums of the places of replies that other processes abandoned, by handle. */
  readonly #abandoned = new Map<number, number | null>()

  /** The number of replies that have not ended. */
  get count(): number {
    return this.#places.size - this.#ended.size
  }

  /** Whether a reply is known here by this handle: a new one needs another, as the row of the known one may be erased. */
  has(handle: number): boolean {
    return this.#places.has(handle) || this.#abandoned.has(handle)
  }

  /** The greatest handle. */
  get greatest(): number {
    return Math.max(...this.#places.keys(), ...this.#abandoned.keys())
  }

  add(handle: number, place: number): void {
    this.#places.set(handle, place)
  }

  /** The checksum of the place of a reply; null if another process began it and has not abandoned it. */
  placeOf(handle: number): number | null {
    return this.#places.get(handle) ?? this.placeOfAbandoned(handle)
  }

  /** A reply was found that another process abandoned. */
  found(handle: number, place: number | null): void {
    this.#abandoned.set(handle, place)
  }

  /** The checksum of the place of an abandoned reply; null if it was not found here. */
  placeOfAbandoned(handle: number): number | null {
    return this.#abandoned.get(handle) ?? null
  }

  /** An abandoned reply has been ended here. */
  recovered(handle: number): void {
    this.#abandoned.delete(handle)
  }

  /** A reply has ended. */
  end({ handle, continues }: Pick<FinishStep, 'handle' | 'continues'>): void {
    if (continues && this.#places.has(handle)) this.#ended.add(handle)
    else this.release(handle)
  }

  /** A reply was erased. Its turn may still name it, so no other reply may be taken for it. */
  lose(handle: number): void {
    if (this.#places.has(handle)) this.#ended.add(handle)
  }

  /** The turn of a reply has continued or ended. */
  release(handle: number): void {
    this.#places.delete(handle)
    this.#ended.delete(handle)
    this.#abandoned.delete(handle)
  }
}
