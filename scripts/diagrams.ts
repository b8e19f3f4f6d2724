// Draws the diagrams of docs/: `npm run diagrams` writes them into docs/images. They follow the reader's light or dark theme.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface Box {
  x: number
  y: number
  width: number
  title: string
  /** Lines below the title. */
  about?: readonly string[]
}

interface Arrow {
  from: readonly [x: number, y: number]
  to: readonly [x: number, y: number]
}

export interface Diagram {
  /** The whole picture in words, for readers who do not see it. */
  alt: string
  width: number
  height: number
  boxes: readonly Box[]
  arrows: readonly Arrow[]
}

const column = 20
const wide = 560

/** One row of a turn: the box down the left, and what comes back on the right. */
function step(y: number, title: string, down: string, up: string): Box {
  return { x: column, y, width: wide, title, about: [`↓ ${down}`, `↑ ${up}`] }
}

export const diagrams: Readonly<Record<string, Diagram>> = {
  turn: {
    alt: 'One turn. A question goes down from your program through the conversation, the engine and the client to the API. The reply comes up as events: the client decodes them, the conversation writes them to the store while they arrive, and your program reads text.',
    width: 600,
    height: 460,
    boxes: [
      step(20, 'Your program', 'send(text)', 'text, then the reply with its usage and cost'),
      step(
        110,
        'Conversation',
        'writes the question, fits the history, reserves the cost',
        'writes the reply, settles the cost',
      ),
      step(200, 'Engine: the client', 'one request, retried until its first event', 'events, continued after a cut'),
      step(290, 'HTTP', 'POST /v1/messages', 'text/event-stream'),
      step(380, 'The API, or a Colloquy server', 'checks the request', 'message_start … message_stop'),
    ],
    arrows: [80, 170, 260, 350].map((y) => ({ from: [300, y + 2], to: [300, y + 28] })),
  },
  layers: {
    alt: 'The layers. Each uses only those below it. From the bottom: protocol; tools; client; engines; conversation; then the server and a model in the process beside each other; then the program colloquy. The console is a page inside the server.',
    width: 600,
    height: 500,
    boxes: [
      { x: 20, y: 20, width: 560, title: 'colloquy, the program', about: ['chat, ask, serve, web'] },
      { x: 20, y: 90, width: 180, title: '@colloquy/llama', about: ['a model in the process'] },
      { x: 210, y: 90, width: 180, title: '@colloquy/server', about: ['the API, keys, usage'] },
      { x: 400, y: 90, width: 180, title: 'console', about: ['a page in the server'] },
      { x: 20, y: 160, width: 560, title: 'conversation', about: ['history, window, cache, money, stores'] },
      {
        x: 20,
        y: 230,
        width: 560,
        title: 'engines',
        about: ['offline, script, upstream, chat completions, recordings'],
      },
      { x: 20, y: 300, width: 560, title: 'client', about: ['requests, retries, streams'] },
      {
        x: 20,
        y: 370,
        width: 560,
        title: 'tools',
        about: ['functions that the model calls, and the loop that runs them'],
      },
      { x: 20, y: 440, width: 560, title: 'protocol', about: ['types, events, models, prices'] },
    ],
    arrows: [],
  },
  server: {
    alt: 'The server. A request from any client passes access (key, limits, budget), the check of its fields, and the route for its model, to one of several engines: Claude, a Chat Completions server, a model on this machine, or a script. The ledger in SQLite or PostgreSQL gets a reservation before the request and the real cost after the reply.',
    width: 720,
    height: 330,
    boxes: [
      { x: 20, y: 130, width: 120, title: 'Any client', about: ['SDKs, curl,', 'Claude Code'] },
      { x: 170, y: 130, width: 110, title: 'Access', about: ['key, limits,', 'budget'] },
      { x: 310, y: 130, width: 100, title: 'Check', about: ['every field,', 'as the API'] },
      { x: 440, y: 130, width: 90, title: 'Route', about: ['by model,', 'fallbacks'] },
      { x: 570, y: 20, width: 140, title: 'Claude', about: ['with your key'] },
      { x: 570, y: 100, width: 140, title: 'Chat Completions', about: ['Ollama, vLLM, …'] },
      { x: 570, y: 180, width: 140, title: 'A GGUF file', about: ['on this machine'] },
      { x: 570, y: 260, width: 140, title: 'Script, offline', about: ['for tests'] },
      { x: 170, y: 240, width: 240, title: 'Ledger', about: ['reservations, tokens, cost;', 'SQLite or PostgreSQL'] },
    ],
    arrows: [
      { from: [142, 165], to: [168, 165] },
      { from: [282, 165], to: [308, 165] },
      { from: [412, 165], to: [438, 165] },
      ...[45, 125, 205, 285].map((y): Arrow => ({ from: [532, 165], to: [568, y] })),
      { from: [225, 192], to: [225, 238] },
    ],
  },
}

/** The SVG of a diagram. */
export function svgOf({ alt, width, height, boxes, arrows }: Diagram): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(alt)}">
<title>${escaped(alt)}</title>
<style>
  rect { fill: #f6f8fa; stroke: #57606a; }
  text { fill: #1f2328; font: 13px system-ui, sans-serif; text-anchor: middle; }
  .title { font-weight: 600; }
  path { stroke: #57606a; fill: none; }
  marker path { fill: #57606a; stroke: none; }
  @media (prefers-color-scheme: dark) {
    rect { fill: #161b22; stroke: #8b949e; }
    text { fill: #e6edf3; }
    path { stroke: #8b949e; }
    marker path { fill: #8b949e; }
  }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
${[...boxes.map(boxOf), ...arrows.map(arrowOf)].join('\n')}
</svg>
`
}

function boxOf({ x, y, width, title, about = [] }: Box): string {
  const tall = 26 + about.length * 17
  const middle = x + width / 2
  const lines = about.map((line, i) => `<text x="${middle}" y="${y + 36 + i * 17}">${escaped(line)}</text>`)
  return `<rect x="${x}" y="${y}" width="${width}" height="${tall}" rx="6"/><text class="title" x="${middle}" y="${y + 18}">${escaped(title)}</text>${lines.join('')}`
}

function arrowOf({ from, to }: Arrow): string {
  return `<path d="M${from.join(' ')}L${to.join(' ')}" marker-end="url(#head)"/>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

if (import.meta.main)
  for (const [name, diagram] of Object.entries(diagrams))
    writeFileSync(fileURLToPath(new URL(`../docs/images/${name}.svg`, import.meta.url)), svgOf(diagram))
