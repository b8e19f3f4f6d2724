import type { ConversationStore } from 'colloquy/conversation'
import type { PostgresDatabase } from 'colloquy/conversation/postgres'

/** An action of another process between two steps of an operation. */
type Action = () => Promise<unknown>

/** Counts the steps of an operation, and runs an action before one of them. */
export class Interruption {
  /** The number of steps so far. */
  steps = 0
  #at = 0
  #action: Action = async () => {}

  /** Counts from 0 again, and runs the action before the step with this number, from 1 on. Default: never. */
  arm(at = 0, action: Action = async () => {}): void {
    this.steps = 0
    this.#at = at
    this.#action = action
  }

  /** Called before each step. */
  async step(): Promise<void> {
    if (++this.steps === this.#at) await this.#action()
  }

  /** A store whose calls are the steps. */
  inCallsOf(store: ConversationStore): ConversationStore {
    const get = (_: ConversationStore, name: keyof ConversationStore): unknown => {
      const member = store[name]
      if (typeof member !== 'function' || name === 'now') return member
      const call = member.bind(store) as (...values: unknown[]) => unknown
      return name === 'messages'
        ? (id: string) => this.#messages(store, id)
        : (...values: unknown[]) => this.#then(call, values)
    }
    return new Proxy(store, { get: get as ProxyHandler<ConversationStore>['get'] & {} })
  }

  /** A database whose statements are the steps. */
  inStatementsOf(db: PostgresDatabase): PostgresDatabase {
    const query = async (sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> => {
      await this.step()
      return db.query(sql, values)
    }
    return { query }
  }

  async #then(call: (...values: unknown[]) => unknown, values: unknown[]): Promise<unknown> {
    await this.step()
    return call(...values)
  }

  async *#messages(store: ConversationStore, id: string): ReturnType<ConversationStore['messages']> {
    await this.step()
    yield* store.messages(id)
  }
}
