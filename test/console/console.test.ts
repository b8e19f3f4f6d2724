import { after } from 'node:test'
import { closeAll } from './harness.ts'
// Two processes for all flows, this one and that of chats.test.ts: those of each share a browser and a build of the page.
import './flows/accessibility.ts'
import './flows/budget.ts'
import './flows/following.ts'
import './flows/formulas.ts'
import './flows/keyboard.ts'
import './flows/security.ts'
import './flows/views.ts'

after(closeAll)
