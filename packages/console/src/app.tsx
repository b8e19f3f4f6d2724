import type { ComponentType, VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { connection } from './api/http.ts'
import { Suspended } from './shell/parts/suspended.tsx'
import { ChatView } from './chat/chat-view.tsx'
import { openChat } from './chat/shown-chat.ts'
import { Banner } from './shell/banner.tsx'
import { Header } from './shell/header.tsx'
import { Palette } from './shell/commands/palette.tsx'
import { dialog } from './shell/panels.ts'
import { Dialog } from './shell/parts/dialog.tsx'
import { route } from './shell/router.ts'
import { Status } from './shell/status.tsx'

/** The whole page. */
export function App(): VNode {
  const session = connection.value
  if (session.state === 'locked' && !session.wasOpen) return <Suspended load={loadSignIn} />
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <Banner />
      <View />
      {dialog.value === 'palette' && <Palette />}
      {dialog.value === 'help' && (
        <Dialog title="Keys">
          <Suspended load={loadHelp} frame={(content) => content} />
        </Dialog>
      )}
      {dialog.value === 'chat' && openChat.value && (
        <Dialog title="Settings of this chat">
          <Suspended load={loadChatSettings} frame={(content) => content} />
        </Dialog>
      )}
      <Status />
    </>
  )
}

async function loadSignIn(): Promise<ComponentType> {
  return (await import('./shell/sign-in.tsx')).SignIn
}

async function loadHelp(): Promise<ComponentType> {
  return (await import('./shell/commands/help.tsx')).Help
}

async function loadChatSettings(): Promise<ComponentType> {
  return (await import('./chat/chat-settings.tsx')).ChatSettings
}

/** The code of the views that are loaded when they are first shown. */
const views = {
  usage: () => import('./usage/usage-view.tsx').then((module) => module.UsageView),
  requests: () => import('./requests/requests-view.tsx').then((module) => module.RequestsView),
  settings: () => import('./settings/settings-view.tsx').then((module) => module.SettingsView),
}

function View(): VNode {
  const { name } = route.value
  const shown = useRef(name)
  useEffect(() => {
    // A link or a command that is gone by now has led here. The focus must not be lost.
    const isLost = shown.current !== name && document.activeElement === document.body
    if (isLost) document.querySelector<HTMLElement>('header.top [aria-current]')?.focus()
    shown.current = name
  }, [name])
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
