import { render } from 'preact'
import { App } from './app.tsx'
import { ApiFailure } from './api/http.ts'
import { loadSession, openSession, wasSignedIn } from './api/session.ts'
import { followChanges } from './chat/list/changes.ts'
import { listenForKeys } from './shell/commands/keys.ts'
import { drawForPrint } from './shell/commands/print.ts'
import { keepPageTitle } from './shell/page-title.ts'
import { followLinks } from './shell/router.ts'
import { notify } from './shell/status.tsx'
import './style/tokens.css'
import './style/base.css'
import './style/shell.css'
import './style/chat.css'
import './style/markdown.css'
import './style/charts.css'
import './style/views.css'
import './style/print.css'

// A refusal that has no place of its own on the page.
addEventListener('unhandledrejection', (event) => {
  if (!(event.reason instanceof ApiFailure)) return
  event.preventDefault()
  notify(event.reason.message)
})
await openSession()
const session = loadSession()
// A page that probably has no session shows nothing that it would have to take back.
if (!wasSignedIn.value) await session
followLinks()
listenForKeys()
keepPageTitle()
drawForPrint()
followChanges()
const root = document.querySelector('#app')
if (root) render(<App />, root)
