import type { TransportResponse } from './transport.ts'

/** A response that passes on another one. Subclasses change how its bytes are read. */
export class PassedResponse implements TransportResponse {
  protected readonly given: TransportResponse

  constructor(given: TransportResponse) {
    this.given = given
  }

  get status(): number {
    return this.given.status
  }

  get url(): string {
    return this.given.url
  }

  get fields(): readonly string[] | undefined {
    return this.given.fields
  }

  header(name: string): string | null {
    return this.given.header(name)
  }

  headers(): Headers {
    return this.given.headers()
  }

  read(): Promise<Uint8Array | undefined> {
    return this.given.read()
  }

  cancel(error: Error): void {
    this.given.cancel(error)
  }

  response(): Response {
    return this.given.response()
  }
}
