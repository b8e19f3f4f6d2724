/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`, then the date. */
export function ageText(at: Date | number, now: number = Date.now()): string {
  const minutes = Math.floor((now - Number(at)) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`
  const days = Math.floor(minutes / (24 * 60))
  return days < 14 ? `${days} ${days === 1 ? 'day' : 'days'} ago` : new Date(at).toISOString().slice(0, 10)
}
