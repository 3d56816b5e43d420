/** Addresses of covers. All covers of a graph come from one host, the one that the page's policy names. */

/** Return the absolute http(s) address, or null if `value` is none. */
export function parsePicture(value: unknown, base: string): URL | null {
  if (typeof value !== 'string' || !URL.canParse(value, base)) return null
  const address = new URL(value, base)
  return address.protocol === 'https:' || address.protocol === 'http:' ? address : null
}

/** Return the origin that most pictures have, or null without pictures. */
export function findPictureOrigin(pictures: (URL | null)[]): string | null {
  const counts = new Map<string, number>()
  for (const picture of pictures)
    if (picture) counts.set(picture.origin, (counts.get(picture.origin) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
}
