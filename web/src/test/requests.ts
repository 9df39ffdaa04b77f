// What a test's replacement of `fetch` reads from a request.

/** Return the path and the query that a request goes to. */
export function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}
