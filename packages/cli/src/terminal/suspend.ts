/** The longest time until a signal that this process sent to itself has stopped it. Milliseconds. */
const stopMs = 50

/**
 * Suspends the program as Ctrl-Z does in a shell, after `pause`. It gets SIGCONT when it continues. A program that no shell started,
 * such as that of a window of its own, is not stopped by the system: `resume` follows at once. On Windows it does nothing.
 */
export function suspend(pause: () => void, resume: () => void): void {
  if (process.platform === 'win32') return
  pause()
  // With a closed terminal nothing else keeps the process alive.
  const timer = setTimeout(resume, stopMs)
  process.once('SIGCONT', () => clearTimeout(timer))
  // Stops the whole process group, so that npm stops with its script.
  process.kill(0, 'SIGTSTP')
}
