import { after } from 'node:test'
import { closeAll } from './harness.ts'
// One process: all flows share a browser and a build of the page.
import './flows/accessibility.ts'
import './flows/branches.ts'
import './flows/budget.ts'
import './flows/chat.ts'
import './flows/following.ts'
import './flows/formulas.ts'
import './flows/elsewhere.ts'
import './flows/finding.ts'
import './flows/keyboard.ts'
import './flows/security.ts'
import './flows/views.ts'

after(closeAll)
