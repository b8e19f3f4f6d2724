import { type ReadonlySignal, type Signal, signal } from '@preact/signals'

/** A reader who scrolls down to fewer pixels from the end is at the end. */
const nearPixels = 64

/**
 * Keeps the end of a chat in view while it grows. A reader who scrolls up stops that, and one who scrolls to the end starts it
 * again. Nothing moves while a pointer is down: a click would miss the control that it was aimed at.
 */
export class Follower {
  readonly #isBusy: ReadonlySignal<boolean>
  readonly #isAway: Signal<boolean> = signal(false)
  #scroller: HTMLElement | undefined
  readonly #isFollowing: Signal<boolean>
  #isPressed = false
  /** Whether the chat has grown since the pointer went down. */
  #isBehind = false
  /** Whether the reader has used a control since the chat last moved: what it opens must not push it out of view. */
  #isTouched = false
  /** The place of the reader at the last event. */
  #top = 0
  /** Whether the next event is about a move by `follow()`. */
  #hasMoved = false

  /** @param isBusy whether a reply is arriving. */
  constructor(isBusy: ReadonlySignal<boolean>, isFollowing: boolean) {
    this.#isBusy = isBusy
    this.#isFollowing = signal(isFollowing)
  }

  /** Whether the page moves to the end when the chat grows. */
  get isFollowing(): ReadonlySignal<boolean> {
    return this.#isFollowing
  }

  /** Whether the reader is away from the end. */
  get isAway(): ReadonlySignal<boolean> {
    return this.#isAway
  }

  /** Watches an element that scrolls, and its only child, whose height changes. Returns a function that ends it. */
  attach(scroller: HTMLElement): () => void {
    this.#scroller = scroller
    const ended = new AbortController()
    const { signal: ends } = ended
    scroller.addEventListener('scroll', () => this.#scrolled(), { signal: ends })
    scroller.addEventListener('keydown', () => (this.#isTouched = true), { signal: ends })
    scroller.addEventListener('pointerdown', ({ target }) => this.#press(target), { signal: ends })
    for (const name of ['pointerup', 'pointercancel']) addEventListener(name, () => this.#release(), { signal: ends })
    const sizes = new ResizeObserver(() => this.#resized())
    for (const element of [scroller, scroller.firstElementChild!]) sizes.observe(element)
    ends.addEventListener('abort', () => sizes.disconnect())
    return () => ended.abort()
  }

  /** Goes to the end and follows it. */
  follow(): void {
    const scroller = this.#scroller
    if (!scroller) return
    this.#isFollowing.value = true
    this.#isTouched = false
    scroller.scrollTop = scroller.scrollHeight
    const top = scroller.scrollTop
    this.#hasMoved = top !== this.#top
    this.#top = top
    this.#isAway.value = false
  }

  #scrolled(): void {
    // Reading the place would lay the page out once more in a frame.
    if (this.#hasMoved) return void (this.#hasMoved = false)
    const { scrollTop = 0 } = this.#scroller ?? {}
    const gap = this.#gap()
    if (gap < 1 || (gap < nearPixels && scrollTop > this.#top)) this.#isFollowing.value = true
    else if (scrollTop < this.#top) this.#isFollowing.value = false
    this.#top = scrollTop
    this.#showAway()
  }

  #resized(): void {
    if (this.#isFollowing.value && this.#isPressed) this.#isBehind = true
    else if (this.#isFollowing.value && (this.#isBusy.peek() || !this.#isTouched)) return this.follow()
    else if (this.#isFollowing.value) this.#isFollowing.value = this.#gap() < nearPixels
    this.#showAway()
  }

  /** A press on the scroller itself is one on its scroll bar. */
  #press(target: EventTarget | null): void {
    if (target !== this.#scroller) this.#isPressed = true
  }

  /** The click follows the event that releases the pointer. */
  #release(): void {
    if (!this.#isPressed) return
    this.#isPressed = false
    this.#isTouched = true
    if (this.#isBehind && this.#isFollowing.value) requestAnimationFrame(() => this.follow())
    this.#isBehind = false
  }

  #showAway(): void {
    this.#isAway.value = !this.#isFollowing.value && this.#gap() >= nearPixels
  }

  /** The pixels below what is shown. */
  #gap(): number {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = this.#scroller ?? {}
    return scrollHeight - scrollTop - clientHeight
  }
}
