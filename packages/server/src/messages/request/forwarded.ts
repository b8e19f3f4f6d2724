import type { ForwardRequest } from 'colloquy/protocol'
import type { RequestHeaders } from '../../access/request-headers.ts'
import { type Models } from '../models.ts'
import { dictionary, refuse } from '../validate/schema.ts'
import { apiError } from 'colloquy/protocol'

/** The headers of a client that are sent on. Keys, hosts and those of the connection are not. */
const passed = [
  'anthropic-version',
  'anthropic-beta',
  'anthropic-user-profile-id',
  'x-app',
  'x-claude-code-session-id',
  'idempotency-key',
]
