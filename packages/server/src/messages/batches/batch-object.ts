import type { MessageBatch } from 'colloquy/protocol'
import type { BatchRow, ItemRow } from './batch-store.ts'

/** A batch as the API returns it. @param base the address of the server, for the URL of the results. */
export function batchObject(row: BatchRow, base: string): MessageBatch {
  const { id, succeeded, errored, canceled, expired, ended_at: ended, cancel_at: cancel, archived_at: archived } = row
  const isOpen = ended === null
  return {
    id,
    type: 'message_batch',
    processing_status: isOpen ? (cancel === null ? 'in_progress' : 'canceling') : 'ended',
    request_counts: { processing: isOpen ? row.items : 0, succeeded, errored, canceled, expired },
    created_at: timeOf(row.created_at),
    expires_at: timeOf(row.expires_at),
    ended_at: isOpen ? null : timeOf(ended),
    cancel_initiated_at: cancel === null ? null : timeOf(cancel),
    archived_at: archived === null ? null : timeOf(archived),
    results_url: isOpen || archived !== null ? null : `${base}/v1/messages/batches/${id}/results`,
  }
}

/** A line of the results. */
export function resultLine({ custom_id, outcome, result }: ItemRow): string {
  return `{"custom_id":${JSON.stringify(custom_id)},"result":${result ?? `{"type":"${outcome}"}`}}\n`
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
