import { join } from 'node:path'
import { answer, type Contestant, history, question } from '../contestant.ts'

interface Config {
  configurable: { thread_id: string }
}

interface State {
  messages: unknown[]
}

/** As much of LangGraph as is used here. */
interface Library {
  AIMessage: new (content: string) => unknown
  HumanMessage: new (content: string) => unknown
  MessagesAnnotation: unknown
  SqliteSaver: { fromConnString(path: string): { db: { close(): void } } }
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

/** A graph of one node, which answers, with the SQLite saver as it comes. */
export async function open(folder: string, library: Library): Promise<Contestant> {
  const { AIMessage, HumanMessage, MessagesAnnotation, SqliteSaver, StateGraph } = library
  const checkpointer = SqliteSaver.fromConnString(join(folder, 'langgraph.db'))
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
    close: async () => checkpointer.db.close(),
  }
}
