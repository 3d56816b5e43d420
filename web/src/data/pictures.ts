/** Addresses of covers. All covers of a graph come from one host, the one that the page's policy names. */

/** Return the origin (`https://host`) of an http(s) address; null for anything else. */
export function originOf(picture: unknown): string | null {
  if (typeof picture !== 'string' || !URL.canParse(picture)) return null
  const { protocol, origin } = new URL(picture)
  return protocol === 'https:' || protocol === 'http:' ? origin : null
}

/** Return the origin that most pictures have; null without pictures. */
export function findPictureOrigin(pictures: unknown[]): string | null {
  const counts = new Map<string, number>()
  for (const origin of pictures.map(originOf))
    if (origin !== null) counts.set(origin, (counts.get(origin) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
}
