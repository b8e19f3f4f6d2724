import type { ResourceClient } from './resource-client.ts'

/** Makes a field one that is not printed, such as a key. */
export const hidden: PropertyDescriptor = { enumerable: false }

/**
 * The methods of one part of the API. They find the client in a property instead of a private field, so that they work through
 * a proxy too, as tracers put around a resource.
 */
export class Resource {
  /** The client that sends the requests. Not printed. */
  readonly client: ResourceClient

  constructor(client: ResourceClient) {
    this.client = client
    Object.defineProperty(this, 'client', hidden)
  }
}
