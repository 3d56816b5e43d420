/** The content security policy of the built pages. */
import { findPictureOrigin } from '../src/data/pictures.ts'

/** The host of the covers that MyAnimeList's API names. */
export const MAL_PICTURES = 'https://cdn.myanimelist.net'

const PLACEHOLDER = '<!-- Content security policy: added by the build. -->'

/** Return the host of the covers in a graph; MyAnimeList's for a graph without covers. */
export function picturesOrigin(graph: string): string {
  const { anime } = JSON.parse(graph) as { anime: { picture?: unknown }[] }
  return findPictureOrigin(anime.map(({ picture }) => picture)) ?? MAL_PICTURES
}

/** Return the page with the policy. Everything that `directives` does not name is refused. */
export function contentSecurityPolicy(html: string, directives: Record<string, string>): string {
  if (!html.includes(PLACEHOLDER))
    throw new Error(`index.html has no placeholder for the policy: ${PLACEHOLDER}`)
  const all = {
    'default-src': "'none'",
    ...directives,
    // For the style attributes of the document in which a browser describes damaged XML.
    'style-src-attr': "'unsafe-inline'",
    'base-uri': "'none'",
    'form-action': "'none'",
  }
  const content = Object.entries(all).map(([name, sources]) => `${name} ${sources}`)
  return html.replace(
    PLACEHOLDER,
    `<meta http-equiv="Content-Security-Policy" content="${content.join('; ')}">`,
  )
}
