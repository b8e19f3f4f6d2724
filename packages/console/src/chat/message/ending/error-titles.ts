/** The meanings of the types of errors, as headings. */
export const errorTitles: Readonly<Record<string, string>> = {
  api_error: 'The model or its server failed',
  authentication_error: 'The key was refused',
  billing_error: 'The budget or the account does not allow it',
  budget_exceeded: 'The budget is used up',
  conflict_error: 'Another writer was faster',
  connection_error: 'The server cannot be reached',
  invalid_request_error: 'The request is not valid',
  not_found_error: 'Not found',
  overloaded_error: 'The model is overloaded',
  permission_error: 'The key does not allow this',
  rate_limit_error: 'Too many requests',
  request_too_large: 'The request is too large',
  timeout_error: 'It took too long',
}
