import type { TextBlockParam, ToolResultContent } from '../../../protocol/types/params.ts'
import type {
  BrowserStateBlockParam,
  BrowserStateChange,
  BrowserStateTabEntry,
} from '../../../protocol/types/tools/toolset.ts'
import { ToolError } from '../../tool-error.ts'
import { textsOfError } from '../answer.ts'
import { ToolsetUsageError } from '../errors.ts'
import { contentOf, textBlock } from '../result.ts'
import { cut, lineOf, shownUrl } from '../text.ts'
import type { MemberCall, Outcome } from '../toolset.ts'
import type { BrowserState, DialogDismissed, FilePolicy } from './options.ts'

/** The tabs of the last report, and changes that the model was not told yet. */
export class BrowserReports {
  /** The tabs of the last report. */
  tabs: readonly BrowserStateTabEntry[] = []
  readonly #policy: FilePolicy | undefined
  #changes: BrowserStateChange[] = []
  #hasRefused = false
  #dialogs: DialogDismissed[] = []

  constructor(policy: FilePolicy | undefined) {
    this.#policy = policy
  }

  /** The result of a call, with the state of the browser after it. Throws a `ToolError` for a call that failed. */
  async resultOf(outcome: Outcome, state: BrowserState): Promise<ToolResultContent[]> {
    this.#add(state)
    if ('error' in outcome) throw new ToolError([...textsOfError(outcome.error), ...this.#takeNotices()])
    const { call, value } = outcome
    const opened = call.name === 'new_tab' ? (value as BrowserStateTabEntry | undefined)?.tab_id : undefined
    if (opened !== undefined && !this.#isOnlyActive(opened))
      throw new ToolError([textBlock(notActive), ...this.#takeNotices()])
    const content = contentOf(call.member, call.input, value)
    const later = opened === undefined ? [] : this.#changes.filter((change) => isOtherTab(change, opened))
    const block = await this.#block(
      this.#changes.filter((change) => !later.includes(change)),
      opened,
    )
    this.#changes = later
    return isAboutTabs(call) ? [block] : [...content, ...this.#takeNotices(), block]
  }

  #add({ tabs, state_changes = [] }: BrowserState): void {
    this.tabs = tabs
    for (const change of state_changes) {
      if (change.type === 'navigation_refused') this.#hasRefused = true
      else if (change.type === 'dialog_dismissed') this.#dialogs.push(change)
      else this.#changes.push(change)
    }
    this.#changes = latestOf(this.#changes, new Set(tabs.map(({ tab_id }) => tab_id)))
  }

  /** Whether the tab is the only active one: otherwise the API refuses the result of `new_tab`. */
  #isOnlyActive(tabId: string): boolean {
    const active = this.tabs.filter((tab) => tab.active === true)
    return active.length === 1 && active[0]!.tab_id === tabId
  }

  async #block(changes: readonly BrowserStateChange[], opened: string | undefined): Promise<BrowserStateBlockParam> {
    const told = await Promise.all(changes.map((change) => shownChange(change, this.#policy)))
    if (opened !== undefined && !told.some(({ type }) => type === 'tab_opened'))
      told.push({ type: 'tab_opened', tab_id: opened })
    const tabs = this.tabs.map((tab) => ({ ...tab, title: lineOf(tab.title) }))
    return { type: 'browser_state', tabs, ...(told.length > 0 && { state_changes: told }) }
  }

  #takeNotices(): TextBlockParam[] {
    const lines = [...(this.#hasRefused ? ['A navigation was refused.'] : []), ...dialogLines(this.#dialogs)]
    this.#hasRefused = false
    this.#dialogs = []
    return lines.map(textBlock)
  }
}

const notActive =
  'new_tab opened a tab, but the browser does not report it as the only active tab. Call list_tabs to see the tabs.'

/** The report with URLs of the length that the API accepts. */
export function boundedState({ tabs, state_changes, ...state }: BrowserState): BrowserState {
  return {
    ...state,
    tabs: tabs.map((tab) => ({ ...tab, url: shownUrl(tab.url) })),
    state_changes: state_changes?.map((change) =>
      isDownload(change) ? { ...change, url: shownUrl(change.url) } : change,
    ),
  }
}

/** A result about tabs is the state of the browser alone. Lines of text wait for the next result. */
function isAboutTabs({ member: { kind } }: MemberCall): boolean {
  return kind === 'tab' || kind === 'tabs'
}

function isOtherTab(change: BrowserStateChange, opened: string): boolean {
  return change.type === 'tab_opened' && change.tab_id !== opened
}

type Download = Exclude<BrowserStateChange, { type: 'tab_opened' }>

function isDownload(change: { type: string }): change is Download {
  return ['download_started', 'download_completed', 'download_failed'].includes(change.type)
}

/** The last change of each download, and the first of each tab that is still open. */
function latestOf(changes: readonly BrowserStateChange[], openTabs: ReadonlySet<string>): BrowserStateChange[] {
  const last = new Map<unknown, number>()
  changes.forEach((change, index) => {
    if ('download_id' in change) last.set(change.download_id, index)
  })
  const tabs = new Set<string>()
  return changes.filter((change, index) => {
    if (change.type !== 'tab_opened') return !('download_id' in change) || last.get(change.download_id) === index
    if (!openTabs.has(change.tab_id) || tabs.has(change.tab_id)) return false
    tabs.add(change.tab_id)
    return true
  })
}

/** A change as the model sees it. The path of a download is shown only if the policy allows it. */
async function shownChange(change: BrowserStateChange, policy: FilePolicy | undefined): Promise<BrowserStateChange> {
  if (!isDownload(change)) return { ...change }
  const { path, ...shown } = { path: undefined as unknown, ...change }
  if (shown.type === 'download_failed' && shown.error !== undefined && shown.error !== null)
    return { ...shown, error: lineOf(shown.error) }
  // A path that one line cannot show could be read as another file's.
  if (shown.type !== 'download_completed' || typeof path !== 'string' || lineOf(path) !== path) return shown
  return (await isVisible(path, policy)) ? { ...shown, path } : shown
}

async function isVisible(path: string, policy: FilePolicy | undefined): Promise<boolean> {
  try {
    return (await policy?.isPathVisible(path)) === true
  } catch (error) {
    if (error instanceof ToolsetUsageError) throw error
    return false
  }
}

/** At most three lines and a count: a page may open dialogs in a loop. */
function dialogLines(dialogs: readonly DialogDismissed[]): string[] {
  const more = dialogs.length - 3
  return [...dialogs.slice(0, 3).map(dialogLine), ...(more > 0 ? [`${more} more dialogs were dismissed.`] : [])]
}

function dialogLine({ kind, message = '' }: DialogDismissed): string {
  const name = cut(lineOf(kind), 20) || 'dialog'
  const article = /^[aeiou]/i.test(name) ? 'An' : 'A'
  const line = lineOf(message)
  const shown = cut(line, 200)
  const quoted = line && ` ${JSON.stringify(shown === line ? shown : `${shown}…`)}`
  return `${article} ${name === 'dialog' ? name : `${name} dialog`}${quoted} was dismissed.`
}
