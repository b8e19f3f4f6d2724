import { jsonContent, type Operations, ref } from '../openapi/operation.ts'

const status = { summary: 'Report that the server is running', response: jsonContent(ref('Status')), isOpen: true }

/** The routes by which a server is watched. */
export const watchOperations: Operations = {
  'GET /': status,
  'GET /healthz': status,
  'GET /api/hello': status,
  'GET /readyz': {
    summary: 'Report whether the server is ready for requests',
    description: 'A server that is being stopped answers 503.',
    response: jsonContent(ref('Readiness')),
    isOpen: true,
  },
  'GET /openapi.json': {
    summary: 'Describe the server',
    response: jsonContent({ type: 'object' }),
    isOpen: true,
  },
}

/** The route of the metrics. */
export const metricsOperations: Operations = {
  'GET /metrics': {
    summary: 'Read the metrics for Prometheus',
    description: 'A server with keys requires an admin key.',
    response: { content: { 'text/plain': { type: 'string' } } },
  },
}
