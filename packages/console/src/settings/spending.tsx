import type { VNode } from 'preact'
import { changeNewChats, newChatSettings } from '../chat/new-chat.ts'
import { Dollars } from './fields.tsx'
import { dayAlarmUsd, warnCostUsd } from './preferences.ts'

/** Budgets and alarms. A key has its budgets beside it, and a chat has one in its settings. */
export function Spending(): VNode {
  return (
    <section class="group" aria-labelledby="spending">
      <h2 id="spending">Budgets and alarms</h2>
      <Dollars
        label="Warn before a request that may cost more"
        hint="Empty: no warning."
        value={warnCostUsd.value}
        onChange={(usd) => (warnCostUsd.value = usd)}
      />
      <Dollars
        label="Alarm when a day costs more"
        hint="All requests on the page Usage together. Nothing is refused. Empty: no alarm."
        value={dayAlarmUsd.value}
        onChange={(usd) => (dayAlarmUsd.value = usd)}
      />
      <Dollars
        label="Budget of each new chat"
        hint="A request that could exceed it is refused. Empty: no budget."
        value={newChatSettings.value.budget?.usd ?? 0}
        onChange={(usd) => changeNewChats({ budget: usd > 0 ? { usd } : undefined })}
      />
    </section>
  )
}
