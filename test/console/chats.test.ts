import { after } from 'node:test'
import { closeAll } from './harness.ts'
import './flows/branches.ts'
import './flows/chat.ts'
import './flows/elsewhere.ts'
import './flows/finding.ts'
import './flows/gateway.ts'

after(closeAll)
