import { settlementEntry, usageOf } from '../../money/spending.ts'
import type { LeaseClock } from '../lease.ts'
import { thisProcess } from '../owner.ts'
import type { JournalStep, ReceivedParts, Reservation, UnfinishedReply } from '../store.ts'
import type { MemoryConversation } from './conversation.ts'
import type { MemorySpending } from './spending.ts'

interface Unfinished {
  conversation: MemoryConversation
  number: number
  until: number
  /** Undefined once the reply has ended and its tools run. */
  journal: string[] | undefined
  stopping: boolean
  reservation: Reservation
}

const nothingReserved: Reservation = { picoUsd: 0n, tokens: 0n, accounts: [] }

/** The replies of a store in memory with a lease: their journals and reservations. */
export class MemoryLeases {
  readonly #clock: LeaseClock
  readonly #spending: MemorySpending
  readonly #unfinished = new Map<number, Unfinished>()

  constructor(clock: LeaseClock, spending: MemorySpending) {
    this.#clock = clock
    this.#spending = spending
  }

  begin(handle: number, conversation: MemoryConversation, number: number, reservation: Reservation): void {
    this.#unfinished.set(handle, {
      conversation,
      number,
      until: this.#clock.end,
      journal: [],
      stopping: false,
      reservation,
    })
  }

  journal({ handle, json }: JournalStep): boolean {
    const reply = this.#unfinished.get(handle)
    if (reply === undefined) return false
    reply.until = this.#clock.end
    if (json === '' || reply.journal === undefined) return reply.stopping
    reply.journal.push(json)
    reply.conversation.amend(reply.number, { state: 'streaming' })
    return reply.stopping
  }

  received(conversation: MemoryConversation, number: number, from: number): ReceivedParts | undefined {
    const lease = this.#of(conversation).find((each) => each.number === number)
    if (lease?.journal === undefined) return undefined
    return { parts: lease.journal.slice(from), abandoned: this.#isAbandoned(lease) }
  }

  /** Marks the replies in flight of a conversation as to be stopped, and returns their numbers. */
  stop(conversation: MemoryConversation): number[] {
    const leases = this.#of(conversation).filter((lease) => !this.#isAbandoned(lease))
    for (const lease of leases) lease.stopping = true
    return leases.map(({ number }) => number)
  }

  /** The number of the newest reply in flight, summaries aside; null if there is none. */
  newest(conversation: MemoryConversation): number | null {
    const replies = this.#of(conversation).filter(
      (lease) => !this.#isAbandoned(lease) && conversation.messages.get(lease.number)!.role === 'assistant',
    )
    return replies.at(-1)?.number ?? null
  }

  /**
   * Settles the reservation of a reply, and ends its lease unless its tools run now.
   *
   * @param reply undefined if the usage will never be known: all is charged.
   */
  end(handle: number, reply?: string, continues = false): void {
    const lease = this.#unfinished.get(handle)
    this.#unfinished.delete(handle)
    if (lease === undefined) return
    if (continues) this.#unfinished.set(handle, { ...lease, journal: undefined, reservation: nothingReserved })
    const { accounts, ...reserved } = lease.reservation
    if (accounts.length === 0) return
    this.#spending.enter(accounts, settlementEntry(reserved, reply === undefined ? reserved : usageOf(reply)))
  }

  /** Ends the lease of a reply whose turn has continued or ended. Returns whether the turn is to be stopped. */
  release(handle: number): boolean {
    const lease = this.#unfinished.get(handle)
    if (lease === undefined || lease.journal !== undefined) return false
    this.#unfinished.delete(handle)
    return lease.stopping
  }

  /** Ends the leases of erased replies. */
  erase(conversation: MemoryConversation, isErased: (number: number) => boolean): void {
    for (const [handle, lease] of this.#unfinished) {
      if (lease.conversation === conversation && isErased(lease.number)) this.end(handle)
    }
  }

  of(conversation: MemoryConversation): UnfinishedReply[] {
    return [...this.#unfinished]
      .filter(([, lease]) => lease.conversation === conversation)
      .map(([handle, lease]) => {
        const { number, journal } = lease
        const { parent } = conversation.messages.get(number)!
        const { picoUsd, tokens } = lease.reservation
        const abandoned = this.#isAbandoned(lease)
        const awaitsTools = journal === undefined
        return {
          handle,
          number,
          parent,
          awaitsTools,
          abandoned,
          journal: [...(journal ?? [])],
          reserved: { picoUsd, tokens },
        }
      })
  }

  /** The ids of conversations with an abandoned reply that has a reservation in an account. */
  abandonedReservations(): string[] {
    const abandoned = [...this.#unfinished.values()].filter(
      (lease) => lease.reservation.accounts.length > 0 && this.#isAbandoned(lease),
    )
    return [...new Set(abandoned.map(({ conversation }) => conversation.record.id))]
  }

  #of(conversation: MemoryConversation): Unfinished[] {
    return [...this.#unfinished.values()].filter((lease) => lease.conversation === conversation)
  }

  #isAbandoned({ until }: Unfinished): boolean {
    return this.#clock.isAbandoned({ owner: thisProcess(), until })
  }
}
