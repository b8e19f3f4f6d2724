import type { VNode } from 'preact'
import { Suspended } from './shell/parts/suspended.tsx'
import { ChatView } from './chat/chat-view.tsx'
import { ChatSettings } from './chat/chat-settings.tsx'
import { Banner } from './shell/banner.tsx'
import { Header } from './shell/header.tsx'
import { Help } from './shell/commands/help.tsx'
import { Palette } from './shell/commands/palette.tsx'
import { dialog } from './shell/panels.ts'
import { route } from './shell/router.ts'
import { Status } from './shell/status.tsx'

/** The whole page. */
export function App(): VNode {
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <Banner />
      <View />
      {dialog.value === 'palette' && <Palette />}
      {dialog.value === 'help' && <Help />}
      {dialog.value === 'chat' && <ChatSettings />}
      <Status />
    </>
  )
}

/** The code of the views that are loaded when they are first shown. */
const views = {
  usage: () => import('./usage/usage-view.tsx').then((module) => module.UsageView),
  requests: () => import('./requests/requests-view.tsx').then((module) => module.RequestsView),
  settings: () => import('./settings/settings-view.tsx').then((module) => module.SettingsView),
}

function View(): VNode {
  const { name } = route.value
  if (name === 'chat') return <ChatView />
  if (name !== 'missing') return <Suspended key={name} load={views[name]} />
  return (
    <main id="main" class="empty">
      <h1>There is no such page</h1>
      <p>
        <a href="./">Go to the chats</a>
      </p>
    </main>
  )
}
