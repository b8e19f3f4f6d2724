import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until the condition holds. The deadline of two minutes only ends a test that would hang. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = () => 'It did not happen',
): Promise<void> {
  const giveUpAt = Date.now() + 120_000
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error(what())
    await sleep(2)
  }
}
