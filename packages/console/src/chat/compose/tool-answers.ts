import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { countText } from '../../format.ts'
import { announce, notify } from '../../shell/status.tsx'
import type { OpenChat } from '../open-chat.ts'
import { type AnyBlock, contentOf, resultText } from '../message/content-text.ts'
import { type Result, resultOf, setResult } from './unsent-text.ts'
import { askNoMore, isRunnable, loadTools, runsUnasked } from './tools.ts'

export const noResult: Result = { text: '', isError: false }

/** The calls of a chat that wait, and what can be done about them. */
export interface ToolAnswers {
  calls: readonly AnyBlock[]
  /** The result of a call so far. It stays until it is recorded: one that is refused can be sent again. */
  result: (call: AnyBlock) => Result | undefined
  /** The calls that the server can run, and that have no result. */
  open: readonly AnyBlock[]
  change: (call: AnyBlock, result: Result) => void
  /** Runs the open calls, and sends the results once all calls have one. */
  submit: () => void
  /** Runs the open calls, and later calls of their tools without asking. */
  runUnasked: () => void
  /** Sends a refusal as the result of each open call. */
  refuse: () => void
  /** Stops the tools; undefined while none runs. */
  stop: (() => void) | undefined
}

export function useToolAnswers(chat: OpenChat): ToolAnswers {
  const running = useSignal<AbortController | undefined>(undefined)
  const calls = chat.isBusy.value ? [] : waitingCalls(chat)
  const result = (call: AnyBlock): Result | undefined => resultOf(chat.id, idOf(call))
  const open = (): AnyBlock[] => calls.filter((call) => isRunnable(call) && !result(call))
  const change = (call: AnyBlock, next: Result | undefined): void => setResult(chat.id, idOf(call), next)
  const send = (): void => {
    const sent = chat.send(calls.map((call) => resultBlock(call, result(call) ?? noResult)))
    void sent.then((isRecorded) => isRecorded && calls.forEach((call) => change(call, undefined)))
    document.querySelector<HTMLElement>('#composer')?.focus()
  }
  const run = async (): Promise<void> => {
    const controller = (running.value = new AbortController())
    await Promise.all(open().map(async (call) => change(call, await runCall(chat, call, controller.signal))))
      .then(() => calls.every(result) && send())
      .catch((error: Error) => controller.signal.aborted || notify(error.message))
    running.value = undefined
  }
  useNewCalls(calls, () => calls.every((call) => runsUnasked(chat.id, call)) && void run())
  useEffect(() => () => running.value?.abort(), [])
  return {
    calls,
    result,
    open: open(),
    change,
    submit: () => (open().length > 0 ? void run() : send()),
    runUnasked: () => {
      askNoMore(chat.id, open())
      void run()
    },
    refuse: () => {
      for (const call of open()) change(call, { text: refusalOf(call), isError: true })
      send()
    },
    stop: running.value && (() => running.value?.abort()),
  }
}

/** Announces calls that have begun to wait, loads the tools that the server has now, and calls `begin`. */
function useNewCalls(calls: readonly AnyBlock[], begin: () => void): void {
  useEffect(() => {
    if (calls.length === 0) return
    announce(`The reply waits for ${countText(calls.length, 'tool result')}`)
    void loadTools().then(begin)
  }, [calls.map(idOf).join(' ')])
}

function waitingCalls({ info, messages }: OpenChat): AnyBlock[] {
  const { waitingCalls } = info.value
  if (waitingCalls.length === 0) return []
  const blocks = messages.value.flatMap((message) => {
    const content = contentOf(message)
    return typeof content === 'string' ? [] : content
  })
  return waitingCalls.flatMap((id) => blocks.findLast((block) => block.type === 'tool_use' && block.id === id) ?? [])
}

/** Runs a call on the server. Its result is shown, and sent as the tool returned it. */
async function runCall(chat: OpenChat, call: AnyBlock, signal: AbortSignal): Promise<Result> {
  const block = await chat.runCall(idOf(call), signal)
  return { text: resultText(block), isError: block.is_error === true, content: block.content }
}

function refusalOf({ name }: AnyBlock): string {
  return `The call of tool '${String(name)}' was declined: the user did not allow it`
}

/** The id of a call. */
export function idOf({ id }: AnyBlock): string {
  return String(id)
}

function resultBlock(call: AnyBlock, { text, isError, content = text }: Result): AnyBlock {
  return { type: 'tool_result', tool_use_id: idOf(call), content, ...(isError && { is_error: true }) }
}
