import { jsonContent, type Operations, ref } from '../openapi/operation.ts'

const status = { summary: 'Tell that the server runs', response: jsonContent(ref('Status')), isOpen: true }

/** The routes by which a server is watched. */
export const watchOperations: Operations = {
  'GET /': status,
  'GET /healthz': status,
  'GET /api/hello': status,
  'GET /readyz': {
    summary: 'Tell whether the server should get requests',
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
    description: 'A server with keys asks for an admin key.',
    response: { content: { 'text/plain': { type: 'string' } } },
  },
}
