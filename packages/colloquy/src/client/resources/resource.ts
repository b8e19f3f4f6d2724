import type { ResourceClient } from './resource-client.ts'

/**
 * The methods of one part of the API. They find the client in a property instead of a private field, so that they work through
 * a proxy and in a copy too, as tracers make them of a resource.
 */
export class Resource {
  /** The client that sends the requests. */
  readonly client: ResourceClient

  constructor(client: ResourceClient) {
    this.client = client
  }

  /** Nothing: JSON cannot hold the client, which refers to its resources. */
  toJSON(): object {
    return {}
  }
}
