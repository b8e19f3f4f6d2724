// The official names of the bodies of errors, with and without `Beta`.
import type { ErrorBody, ErrorObject } from '../../protocol/types/error.ts'

export type InvalidRequestErrorObject = ErrorObject & { type: 'invalid_request_error' }
export type AuthenticationErrorObject = ErrorObject & { type: 'authentication_error' }
export type BillingErrorObject = ErrorObject & { type: 'billing_error' }
export type PermissionErrorObject = ErrorObject & { type: 'permission_error' }
export type NotFoundErrorObject = ErrorObject & { type: 'not_found_error' }
export type RateLimitErrorObject = ErrorObject & { type: 'rate_limit_error' }
export type GatewayTimeoutErrorObject = ErrorObject & { type: 'timeout_error' }
export type APIErrorObject = ErrorObject & { type: 'api_error' }
export type OverloadedErrorObject = ErrorObject & { type: 'overloaded_error' }

export type BetaInvalidRequestErrorObject = InvalidRequestErrorObject
export type BetaAuthenticationErrorObject = AuthenticationErrorObject
export type BetaBillingErrorObject = BillingErrorObject
export type BetaPermissionErrorObject = PermissionErrorObject
export type BetaNotFoundErrorObject = NotFoundErrorObject
export type BetaRateLimitErrorObject = RateLimitErrorObject
export type BetaGatewayTimeoutErrorObject = GatewayTimeoutErrorObject
export type BetaAPIErrorObject = APIErrorObject
export type BetaOverloadedErrorObject = OverloadedErrorObject
export type BetaErrorResponse = ErrorBody
export type BetaErrorObject = ErrorObject

// Older official names.
export type InvalidRequestError = InvalidRequestErrorObject
export type BillingError = BillingErrorObject
export type PermissionError = PermissionErrorObject
export type BetaError = ErrorObject
export type BetaInvalidRequestError = InvalidRequestErrorObject
export type BetaAuthenticationError = AuthenticationErrorObject
export type BetaBillingError = BillingErrorObject
export type BetaPermissionError = PermissionErrorObject
export type BetaNotFoundError = NotFoundErrorObject
export type BetaRateLimitError = RateLimitErrorObject
export type BetaGatewayTimeoutError = GatewayTimeoutErrorObject
export type BetaAPIError = APIErrorObject
export type BetaOverloadedError = OverloadedErrorObject
