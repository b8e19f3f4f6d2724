import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { answer, type Contestant, history, question } from '../contestant.ts'

interface Config {
  configurable: { thread_id: string }
}

interface State {
  messages: unknown[]
}

/** The parts of LangGraph in use. */
interface Library {
  AIMessage: new (content: string) => unknown
  HumanMessage: new (content: string) => unknown
  MessagesAnnotation: unknown
  SqliteSaver: new (db: Database) => unknown
  StateGraph: new (state: unknown) => {
    addNode(name: string, node: () => State): void
    addEdge(from: string, to: string): void
    compile(options: { checkpointer: unknown }): {
      invoke(state: State, config: Config): Promise<State>
      updateState(config: Config, state: State, node: string): Promise<unknown>
      getState(config: Config): Promise<{ values: State }>
    }
  }
}

/** The part of better-sqlite3's interface that the saver uses. */
interface Database {
  exec(sql: string): void
  pragma(sql: string): void
  prepare(sql: string): Record<'run' | 'get' | 'all', (...values: (SQLInputValue | undefined)[]) => unknown>
  transaction<T>(work: (rows: T) => void): (rows: T) => void
}

/** A graph with one node that answers, and the SQLite saver unchanged except for its database. */
export async function open(folder: string, library: Library): Promise<Contestant> {
  const { AIMessage, HumanMessage, MessagesAnnotation, SqliteSaver, StateGraph } = library
  const db = new DatabaseSync(join(folder, 'langgraph.db'))
  const checkpointer = new SqliteSaver(adapted(db))
  const graph = new StateGraph(MessagesAnnotation)
  graph.addNode('model', () => ({ messages: [new AIMessage(answer)] }))
  graph.addEdge('__start__', 'model')
  const app = graph.compile({ checkpointer })
  let count = 0
  return {
    async start(turns) {
      const config = { configurable: { thread_id: `conversation ${++count}` } }
      const messages = history(turns).map(({ role }) =>
        role === 'user' ? new HumanMessage(question) : new AIMessage(answer),
      )
      await app.updateState(config, { messages }, 'model')
      return {
        turn: () => app.invoke({ messages: [new HumanMessage(question)] }, config),
        load: async () => (await app.getState(config)).values.messages.length,
      }
    },
    close: async () => db.close(),
  }
}

/** Node's SQLite with the default settings of better-sqlite3, which would have to be compiled. */
function adapted(db: DatabaseSync): Database {
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000')
  return {
    exec: (sql) => db.exec(sql),
    pragma: (sql) => db.exec(`PRAGMA ${sql}`),
    prepare(sql) {
      const statement = db.prepare(sql)
      return {
        run: (...values) => statement.run(...values.map(bound)),
        get: (...values) => statement.get(...values.map(bound)),
        all: (...values) => statement.all(...values.map(bound)),
      }
    },
    transaction: (work) => (rows) => {
      db.exec('BEGIN')
      try {
        work(rows)
        db.exec('COMMIT')
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      }
    },
  }
}

/** Turns `undefined`, the parent of a first checkpoint, into the null that Node's SQLite requires. */
function bound(value: SQLInputValue | undefined): SQLInputValue {
  return value ?? null
}
