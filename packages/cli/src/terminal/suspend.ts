/** Suspends the program as Ctrl-Z does in a shell, after `pause`. It gets SIGCONT when it continues. On Windows it does nothing. */
export function suspend(pause: () => void): void {
  if (process.platform === 'win32') return
  pause()
  // With a closed terminal nothing else keeps the process alive until SIGCONT.
  const keepAlive = setInterval(() => {}, 1000)
  process.once('SIGCONT', () => clearInterval(keepAlive))
  // Stops the whole process group, so that npm stops with its script.
  process.kill(0, 'SIGTSTP')
}
