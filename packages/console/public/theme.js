// Loaded before the page is painted, so that a chosen theme does not flash.
try {
  const theme = JSON.parse(localStorage.getItem('colloquy.theme') ?? 'null')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Without storage the page follows the system.
}
