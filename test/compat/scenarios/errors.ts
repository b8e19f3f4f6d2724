import { failure, hello, message, json, requestId } from '../fixtures.ts'
import type { Reply } from '../recording-server.ts'
import type { Difference, Scenario } from '../scenario.ts'

const statuses: readonly [number, string][] = [
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [405, 'invalid_request_error'],
  [408, 'timeout_error'],
  [409, 'conflict_error'],
  [412, 'memory_precondition_failed_error'],
  [413, 'request_too_large'],
  [418, 'teapot_error'],
  [422, 'invalid_request_error'],
  [429, 'rate_limit_error'],
  [431, 'invalid_request_error'],
  [499, 'api_error'],
  [500, 'api_error'],
  [501, 'api_error'],
  [502, 'api_error'],
  [503, 'api_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
  [598, 'api_error'],
]

const codes: readonly [number, string, string][] = [
  [400, 'organization_not_enrolled_in_beta', 'BetaOrganizationNotEnrolledInBetaError'],
  [400, 'organization_type_not_supported', 'OrganizationTypeNotSupportedError'],
  [400, 'parent_organization_required', 'ParentOrganizationRequiredError'],
  [400, 'request_body_timeout', 'BetaRequestBodyTimeoutError'],
  [400, 'unsupported_charset', 'BetaUnsupportedCharsetError'],
  [400, 'workspace_human_review_disabled', 'WorkspaceHumanReviewDisabledError'],
  [400, 'available_tools_limit_exceeded', 'AvailableToolsLimitExceededError'],
  [400, 'claude_code_key_creator_not_member', 'ClaudeCodeKeyCreatorNotMemberError'],
  [400, 'claude_code_version_too_old', 'ClaudeCodeVersionTooOldError'],
  [400, 'cmek_key_disabled', 'CMEKKeyDisabledError'],
  [400, 'cmek_key_network_blocked', 'CMEKKeyNetworkBlockedError'],
  [400, 'compaction_block_ambiguous', 'CompactionBlockAmbiguousError'],
  [400, 'compaction_block_misplaced', 'CompactionBlockMisplacedError'],
  [400, 'compaction_content_mismatch', 'CompactionContentMismatchError'],
  [400, 'compaction_incomplete_turn', 'CompactionIncompleteTurnError'],
  [400, 'compaction_nothing_to_summarize', 'CompactionNothingToSummarizeError'],
  [400, 'compaction_signature_invalid', 'CompactionSignatureInvalidError'],
  [400, 'compaction_too_many_tool_references', 'CompactionTooManyToolReferencesError'],
  [400, 'compaction_tool_changes_mismatch', 'CompactionToolChangesMismatchError'],
  [400, 'organization_on_hold', 'OrganizationOnHoldError'],
  [400, 'request_body_encoding_invalid', 'RequestBodyEncodingInvalidError'],
  [400, 'request_body_encoding_unsupported', 'RequestBodyEncodingUnsupportedError'],
  [400, 'thread_already_continued', 'ThreadAlreadyContinuedError'],
  [400, 'thread_continue_in_flight', 'ThreadContinueInFlightError'],
  [400, 'thread_fingerprint_mismatch', 'ThreadFingerprintMismatchError'],
  [400, 'thread_unsupported_request', 'ThreadUnsupportedRequestError'],
  [400, 'tool_name_conflict', 'ToolNameConflictError'],
  [400, 'tool_reference_unresolved', 'ToolReferenceUnresolvedError'],
  [400, 'user_profile_required', 'UserProfileRequiredError'],
  [402, 'linked_organization_billing_unavailable', 'LinkedOrganizationBillingUnavailableError'],
  [400, 'file_not_downloadable', 'FileNotDownloadableError'],
  [400, 'image_dimensions_too_large', 'ImageDimensionsTooLargeError'],
  [400, 'storage_quota_exceeded', 'StorageQuotaExceededError'],
  [402, 'linked_organization_spend_limit_reached', 'LinkedOrganizationSpendLimitReachedError'],
  [403, 'sandbox_egress_restricted', 'SandboxEgressRestrictedError'],
  [403, 'user_profile_billing_not_authorized', 'UserProfileBillingNotAuthorizedError'],
  [403, 'user_profile_not_billable', 'UserProfileNotBillableError'],
  [404, 'file_expired', 'FileExpiredError'],
  [404, 'thread_not_found', 'ThreadNotFoundError'],
  [413, 'request_body_too_large_after_decoding', 'RequestBodyTooLargeAfterDecodingError'],
  [429, 'contract_spend_limit_reached', 'ContractSpendLimitReachedError'],
  [429, 'enforced_spend_limit_reached', 'EnforcedSpendLimitReachedError'],
  [429, 'ramp_limit_exceeded', 'RampLimitExceededError'],
  [503, 'cmek_context_unavailable', 'CMEKContextUnavailableError'],
  [503, 'cmek_key_unreachable', 'CMEKKeyUnreachableError'],
  [529, 'compaction_unavailable', 'CompactionUnavailableError'],
]

/** Every error response: its class, its message and its fields. */
export const errors: Scenario[] = [
  ...statuses.map(([status, type]) => throws(`${status} ${type}`, failure(status, type, 'Something is wrong'))),
  ...codes.map(([status, code, name]) =>
    throws(
      `${status} ${code} ${name}`,
      failure(status, 'some_error', 'No', { details: { error_code: code, extra: 1 } }),
    ),
  ),
  throws(
    'a code that nobody knows yet',
    failure(400, 'invalid_request_error', 'No', { details: { error_code: 'brand_new' } }),
  ),
  throws(
    'a known code under another status',
    failure(403, 'permission_error', 'No', { details: { error_code: 'thread_not_found' } }),
  ),
  {
    name: 'the classes of codes are on the class',
    replies: codes.map(([status, code]) => failure(status, 'x', 'No', { details: { error_code: code } })),
    run: async ({ client, Anthropic }) => {
      const once = client.withOptions({ maxRetries: 0 })
      const classes = Anthropic as unknown as Record<string, new () => unknown>
      const found: unknown[] = []
      for (const [, , name] of codes) {
        const error: unknown = await once.messages.create(hello).catch((error: unknown) => error)
        found.push([name, error instanceof classes[name]!])
      }
      return found
    },
  },
  throws('details without a code', failure(400, 'invalid_request_error', 'No', { details: { hint: 'x' } })),
  throws('no body', plain('')),
  throws('a body that is no JSON', plain('upstream connect error', 502)),
  throws('a page of HTML', plain('<html><body>Bad gateway</body></html>', 502, 'text/html')),
  throws('JSON of another shape', plain('{"message":"Not found","code":404}', 404)),
  throws('JSON of another shape with a message that is an object', plain('{"message":{"a":1}}', 400)),
  throws('the shape of another API', plain('{"error":{"message":"bad","type":"Bad Request","code":400}}', 400)),
  throws('an error that is a string', plain('{"error":"nope"}', 400)),
  throws('a body that is a JSON string', plain('"nope"', 400), [
    { name: 'odd-error-bodies', at: 'threw.message', official: '400 "nope"', ours: '400 nope' },
  ]),
  throws('a body that is a number', plain('17', 400)),
  throws('a body that is null', plain('null', 400), [
    { name: 'odd-error-bodies', at: 'threw.message', official: '400 null', ours: '400 status code (no body)' },
  ]),
  throws(
    'the request id only in the body',
    { ...failure(400, 'invalid_request_error', 'No'), headers: { 'content-type': 'application/json' } },
    [{ name: 'request-ids', at: 'threw.requestID', official: null, ours: requestId }],
  ),
  throws(
    'the headers of an error',
    failure(400, 'invalid_request_error', 'No', {
      headers: { 'anthropic-workspace-id': 'wrkspc_1', 'anthropic-ratelimit-tokens-remaining': '0' },
    }),
  ),
  throws('304, which nothing asked for', { status: 304, headers: { 'request-id': requestId } }),
  {
    name: 'the error classes are properties of the client and extend each other',
    run: ({ Anthropic }) =>
      (
        [
          'AnthropicError',
          'APIError',
          'APIConnectionError',
          'APIConnectionTimeoutError',
          'APIUserAbortError',
          'BadRequestError',
          'AuthenticationError',
          'PaymentRequiredError',
          'PermissionDeniedError',
          'NotFoundError',
          'RequestTimeoutError',
          'ConflictError',
          'PreconditionFailedError',
          'ContentTooLargeError',
          'UnprocessableEntityError',
          'RateLimitError',
          'RequestHeaderFieldsTooLargeError',
          'ClientClosedRequestError',
          'InternalServerError',
          'NotImplementedError',
          'ServiceUnavailableError',
          'GatewayTimeoutError',
          'OverloadedError',
        ] as const
      ).map((name) => [name, Anthropic[name].name, Object.getPrototypeOf(Anthropic[name]).name]),
  },
  {
    name: 'errors created by a program',
    run: ({ Anthropic }) => [
      new Anthropic.AnthropicError('mine'),
      new Anthropic.APIUserAbortError(),
      new Anthropic.APIUserAbortError({ message: 'mine' }),
      new Anthropic.APIConnectionError({ message: 'mine', cause: new Error('x') }),
      new Anthropic.APIConnectionError({}),
      new Anthropic.APIConnectionTimeoutError(),
      new Anthropic.APIError(400, { error: { type: 'a', message: 'b' } }, 'c', new Headers({ 'request-id': 'r' })),
      new Anthropic.RateLimitError(429, undefined, 'slow down', new Headers()),
      Anthropic.APIError.generate(529, { error: { type: 'overloaded_error', message: 'b' } }, undefined, new Headers()),
      Anthropic.APIError.generate(599, undefined, 'text', new Headers()),
      Anthropic.APIError.generate(undefined, new Error('socket'), 'text', undefined),
    ],
    differs: [
      {
        name: 'generate',
        at: 'returned.10',
        official: { name: 'APIConnectionError', message: 'text' },
        ours: { name: 'APIError', message: 'socket' },
      },
    ],
  },
  {
    name: 'instanceof across the classes',
    replies: [failure(529, 'overloaded_error', 'Overloaded')],
    options: { maxRetries: 0 },
    async run({ client, Anthropic }) {
      const error = await client.messages.create(hello).catch((error: unknown) => error)
      return [
        Anthropic.OverloadedError,
        Anthropic.InternalServerError,
        Anthropic.APIError,
        Anthropic.AnthropicError,
        Error,
        Anthropic.RateLimitError,
        Anthropic.APIConnectionError,
      ].map((type) => error instanceof type)
    },
  },
  {
    name: 'a 200 whose JSON is cut is retried',
    replies: [{ ...json(message()), body: ['{"id": "msg_1", "content": [{'] }, json(message())],
    hurried: true,
    run: async ({ client }) => (await client.messages.create(hello)).id,
    differs: [
      { name: 'unreadable-replies', at: 'threw', official: { name: 'SyntaxError' } },
      { name: 'unreadable-replies', at: 'returned', ours: 'msg_01XFDUDYJgAACzvnptvVoYEL' },
      { name: 'unreadable-replies', at: 'requests.1', ours: { path: '/v1/messages' } },
      { name: 'unreadable-replies', at: 'waits', official: [], ours: [440] },
    ],
  },
  {
    name: 'a 200 with a text body',
    replies: [plain('Welcome to the proxy', 200, 'text/plain')],
    options: { maxRetries: 0 },
    run: ({ client }) => client.messages.create(hello),
    differs: [
      { name: 'unreadable-replies', at: 'returned', official: 'Welcome to the proxy' },
      {
        name: 'unreadable-replies',
        at: 'threw',
        ours: { name: 'APIResponseError', status: 200, requestID: requestId },
      },
    ],
  },
]

function plain(body: string, status = 400, type = 'application/json'): Reply {
  return { status, headers: { 'content-type': type, 'request-id': requestId }, body: [body] }
}

function throws(name: string, reply: Reply, differs: readonly Difference[] = []): Scenario {
  return {
    name,
    replies: [reply],
    options: { maxRetries: 0 },
    run: ({ client }) => client.messages.create(hello),
    differs,
  }
}
