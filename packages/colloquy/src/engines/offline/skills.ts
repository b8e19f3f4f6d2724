import { cutText, oneLine } from '../../protocol/text.ts'
import { calculate, formatNumber } from './arithmetic.ts'
import { introduction, plural } from './fallback.ts'
import { countWords, type History, type Turn } from './history.ts'
import { sampleText } from './sample-text.ts'

/** Answers a question, or returns undefined to leave it to the next skill. */
type Skill = (question: string, history: History) => string | undefined

/** The skills, in the order in which they are tried. */
export const skills: readonly Skill[] = [
  repeat,
  firstOrLast,
  recap,
  count,
  identity,
  factAbout,
  countTo,
  arithmetic,
  code,
  table,
  list,
  longText,
  newFact,
  courtesy,
]

function repeat(question: string): string | undefined {
  const said =
    /^(?:please )?(?:(?:say|echo|repeat)(?: after me| exactly)?|(?:reply|respond|answer)(?: only| just)? with(?: exactly| only)?)(?: the words?)?[:\s]+([^]+)$/i.exec(
      question,
    )?.[1]
  return said === undefined || /^(?:that|it|this|again|what .*)[.?!]*$/i.test(said) ? undefined : unquote(said)
}

function firstOrLast(question: string, history: History): string | undefined {
  const match =
    /\bwhat (?:was|did) (?:(my|i)|(your|you))\b.{0,200}?\b(first|last|before|earlier|previous(?:ly)?|just|begin(?:ning)?|start)\b/i.exec(
      question,
    )
  if (!match) return undefined
  const [, mine, , when] = match
  const said = history.turns.slice(0, -1).filter(({ role }) => role === (mine ? 'user' : 'assistant'))
  const turn = /first|begin|start/i.test(when!) ? said[0] : said.at(-1)
  if (!turn) return mine ? 'This is the first thing you say in this conversation.' : 'I have said nothing before this.'
  const order = turn === said[0] ? 'first' : 'last'
  return `The ${order} thing ${mine ? 'you' : 'I'} said was: “${turn.text}”`
}

function recap(question: string, { turns }: History): string | undefined {
  if (
    !/\b(recap|summar|what have (?:we|i) (?:said|talked|discussed|told)|(?:our|this|the) (?:conversation|chat) so far|do you remember)\b/i.test(
      question,
    )
  )
    return undefined
  const said = turns.slice(0, -1).filter(({ role }) => role === 'user')
  if (said.length === 0) return 'There is nothing to sum up: this is your first message.'
  return `So far you said:\n\n${numbered(said.map(({ text }) => `“${shorten(text)}”`))}`
}

function count(question: string, { turns, system }: History): string | undefined {
  const match = /\bhow many (messages|turns|questions|times|words|replies)\b/i.exec(question)
  if (!match) return undefined
  const unit = match[1]!.toLowerCase()
  const users = turns.filter(({ role }) => role === 'user')
  if (unit === 'words')
    return `Your messages have ${words(users)} words so far${system ? ', the system prompt aside' : ''}.`
  if (unit === 'questions') {
    const questions = users.filter(({ text }) => text.includes('?'))
    return `You asked ${plural(questions.length, 'question')} so far, this one included.`
  }
  return `You sent ${plural(users.length, 'message')} so far, this one included, and I answered ${plural(users.length - 1, 'time')}.`
}

function words(turns: readonly Turn[]): number {
  return turns.reduce((sum, { text }) => sum + countWords(text), 0)
}

function identity(question: string, { system }: History): string | undefined {
  if (!/\b(who|what) are you\b|\bare you (an? )?(ai|claude|bot|human|model|real)\b|\bwhat model\b/i.test(question))
    return undefined
  const role = system ? ` The system prompt says: “${shorten(system)}”` : ''
  return `${introduction} I read the whole conversation that is sent to me, and I make up nothing.${role}`
}

/** Recalls facts about the user, latest first: `my name is Ada`, `I live in Paris`, `call me Ada`. */
function factAbout(question: string, { turns }: History): string | undefined {
  const said = recentTexts(turns.slice(0, -1).filter(({ role }) => role === 'user'))
  const asked =
    /\b(?:what(?:'s|’s| is| was| are)|who(?:'s|’s| is)|tell me|remember|recall)\s+my\s+([\p{L}\s'-]+)/iu.exec(question)
  if (asked) {
    const words = asked[1]!.trim().split(/\s+/)
    // "my name again": try shorter and shorter beginnings of the phrase.
    for (let length = Math.min(words.length, maxNounWords); length > 0; length--) {
      const noun = words.slice(0, length).join(' ')
      const value =
        told(said, new RegExp(String.raw`\bmy ${noun}(?: is|'s|’s| was| are|:)\s+${rest}`, 'i')) ??
        (noun === 'name' ? nameIn(said) : undefined)
      if (value) return `Your ${noun} is ${value}.`
    }
    return `You have not told me your ${words.slice(0, maxNounWords).join(' ')}.`
  }
  const verb = /\b(?:what|where|who|which \w+) do i (like|love|live|work|want|need|have|hate|prefer)\b/i
    .exec(question)?.[1]
    ?.toLowerCase()
  if (!verb) return undefined
  const value = told(said, new RegExp(String.raw`\bi ${verb}\s+${rest}`, 'i'))
  return value ? `You told me that you ${verb} ${value}.` : `You have not told me what you ${verb}.`
}

const maxNounWords = 10

/** The beginnings of the last messages, in order: facts are looked for in at most a million characters. */
function recentTexts(turns: readonly Turn[]): string[] {
  const texts: string[] = []
  let characters = 0
  for (const { text } of turns.toReversed()) {
    texts.push(text.slice(0, 20_000))
    characters += Math.min(text.length, 20_000)
    if (characters > 1_000_000) break
  }
  return texts.toReversed()
}

const rest = String.raw`((?:(?!\s(?:and|but) (?:i|my)\b)[^.,;!?\n])+)`

function told(said: readonly string[], pattern: RegExp): string | undefined {
  for (const text of said.toReversed()) {
    const value = pattern.exec(text)?.[1]
    if (value) return value.trim()
  }
  return undefined
}

function nameIn(said: readonly string[]): string | undefined {
  return told(said, /\b(?:I am|I'm|I’m|[Cc]all me|(?:I am|I'm|I’m) called)\s+([A-Z][\p{L}-]*(?: [A-Z][\p{L}-]*)*)/u)
}

function newFact(question: string): string | undefined {
  const match = /\bmy ([\p{L}\s'-]{2,30}?) (?:is|are) ([^.,;!?\n]+)/iu.exec(question)
  if (match && !question.includes('?'))
    return `Noted: your ${match[1]} is ${match[2]!.trim()}. Ask me for it whenever you like.`
  return undefined
}

function countTo(question: string): string | undefined {
  const match = /\bcount (?:up )?(?:from (\d+) )?to (\d+)\b/i.exec(question)
  if (!match) return undefined
  const from = Number(match[1] ?? 1)
  const to = Math.min(Number(match[2]), from + 9_999)
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index).join(', ') + '.'
}

function arithmetic(question: string, { turns }: History): string | undefined {
  const before = lastNumberIn(turns.findLast(({ role }) => role === 'assistant')?.text ?? '')
  const result = calculate(question, before)
  return result && `${result.expression} = ${formatNumber(result.value)}`
}

function lastNumberIn(text: string): number | undefined {
  let last: string | undefined
  for (const [number] of text.slice(-20_000).matchAll(/-?\d+(\.\d+)?/g)) last = number
  return last === undefined ? undefined : Number(last)
}

function code(question: string): string | undefined {
  if (!/\b(code|function|script|program|snippet|regex|class)\b/i.test(question)) return undefined
  const [language, lines] = /\bpython\b/i.test(question) ? ['python', python] : ['typescript', typescript]
  return `I cannot write programs. Here is one that I know by heart:\n\n\`\`\`${language}\n${lines}\n\`\`\`\n\n**fibonacci** takes a number, \`n\`, and returns the *n*-th Fibonacci number.`
}

const typescript = `function fibonacci(n: number): number {
  let [a, b] = [0, 1]
  for (let i = 0; i < n; i++) [a, b] = [b, a + b]
  return a
}

console.log(fibonacci(10)) // 55`

const python = `def fibonacci(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a

print(fibonacci(10))  # 55`

function table(question: string, { turns }: History): string | undefined {
  if (!/\btable\b/i.test(question)) return undefined
  const rows = turns
    .filter(({ role }) => role === 'user')
    .map(({ text }, index) => `| ${index + 1} | ${shorten(text, 40).replaceAll('|', '/')} | ${text.length} |`)
  return `Your messages as a table:\n\n| # | Message | Characters |\n|--:|---|--:|\n${rows.join('\n')}`
}

function list(question: string): string | undefined {
  if (!/\b(list|bullets?|bullet points?)\b/i.test(question)) return undefined
  const wanted = Number(/\b(\d+)\b/.exec(question)?.[1] ?? 3) || 3
  return `I cannot write a list about that. Here is one of what I can do:\n\n${numbered(abilities.slice(0, wanted))}`
}

const abilities = [
  '**Calculate**: "What is 12 * (3 + 4)?"',
  '**Remember**: "My name is Ada.", and later "What is my name?"',
  '**Count**: "Count to 20", or "How many messages did I send?"',
  '**Recall**: "What did I say first?", or "Summarize our conversation"',
  '**Repeat**: "Say hello"',
  '**Write code by heart**: "Show me some code", or the same in Python',
  '**Write a table**: "Make a table"',
  '**Write a long text**: "Write 200 words"',
  '**Describe files**: attach an image, a PDF file or a text',
  '**Call tools**: name one in a message, or require it with `tool_choice`',
  '**Follow a schema**: give one in `output_config.format`',
  '**Continue**: "continue", after a reply that was cut off',
]

/** A long text for readers who want to see a reply stream. */
function longText(question: string): string | undefined {
  const words = /\b(\d+)(?: words|-words?)\b/i.exec(question)?.[1]
  if (words === undefined && !/\b(?:long|essay|story|poem|in detail|write)\b/i.test(question)) return undefined
  const wanted = Math.min(2_000, Number(words ?? 180))
  return `I cannot write about that. This sample text of about ${wanted} words shows how a long reply streams:\n\n## How a conversation works\n\n${sampleText(wanted)}`
}

function courtesy(question: string): string | undefined {
  if (/^(hi|hello|hey|good (morning|evening|day)|greetings)\b/i.test(question)) return 'Hello! Ask me something.'
  if (/^(thanks|thank you|bye|goodbye)\b/i.test(question)) return 'You are welcome.'
  return undefined
}

export function shorten(text: string, most = 120): string {
  return cutText(oneLine(text), most)
}

function numbered(items: readonly string[]): string {
  return items.map((item, index) => `${index + 1}. ${item}`).join('\n')
}

function unquote(text: string): string {
  return /^["“'`]([^]*)["”'`][.!]?$/.exec(text.trim())?.[1] ?? text.trim()
}
