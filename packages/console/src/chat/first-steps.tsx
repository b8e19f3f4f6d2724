import type { ComponentChildren, VNode } from 'preact'
import { modelNamed, models } from './models.ts'
import { newChatModel } from './new-chat.ts'

/** How to get a model that replies. Finished steps have a tick. */
export function FirstSteps(): VNode {
  const choice = modelNamed(newChatModel.value)
  const hasNetwork = models.value?.data.some(({ isLocal }) => !isLocal) === true
  return (
    <ol class="steps">
      <Step isDone={hasNetwork}>
        {hasNetwork ? (
          'Models over the network can reply.'
        ) : (
          <>
            For Claude models, set a key in a terminal, then start the console again:{' '}
            <code>colloquy keys set anthropic</code>
          </>
        )}
      </Step>
      <Step isDone={choice?.isLocal === true}>
        {choice?.isLocal
          ? `New chats are answered on this machine, without a key and a network: ${choice.displayName}.`
          : 'Or choose a model that runs on this machine: it needs no key and no network.'}
      </Step>
      <Step isDone={false}>Ask something, or try one of these.</Step>
    </ol>
  )
}

function Step({ isDone, children }: { isDone: boolean; children: ComponentChildren }): VNode {
  return (
    <li class={isDone ? 'done' : undefined}>
      {isDone && <span class="visually-hidden">Done: </span>}
      {children}
    </li>
  )
}
