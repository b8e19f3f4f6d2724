/** The longest delay of a timer in milliseconds, 24 days. A timer that is set for longer fires at once. */
export const longestTimerMs: number = 2 ** 31 - 1

/** Calls back after the delay; never, if it is longer than a timer can count. */
export function startTimer(callback: () => void, delayMs: number): ReturnType<typeof setTimeout> | undefined {
  return delayMs <= longestTimerMs ? setTimeout(callback, Math.max(delayMs, 0)) : undefined
}
