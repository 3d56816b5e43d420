/** Colours as #rrggbb: mixing, and contrast to the page's background. */

export interface ThemeColor {
  light: string
  dark: string
}

/** --background of style.css. */
const BACKGROUND: ThemeColor = { light: '#f7f6f3', dark: '#14151a' }
/** Share of a cluster's colour in that of its land. */
export const LAND = 0.09

/** WCAG 2.1, 1.4.11: contrast of graphics that carry meaning. */
const MIN_CONTRAST = 3

const channels = (color: string) => [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16))

/** Return a colour with so large a share of `b`, the rest of `a`. */
export function mix(a: string, b: string, share: number): string {
  const other = channels(b)
  const mixed = channels(a).map((value, k) => Math.round(value * (1 - share) + other[k] * share))
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

/** Return the relative luminance as WCAG defines it, 0 to 1. */
function luminance(color: string): number {
  const [red, green, blue] = channels(color).map((value) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (light + 0.05) / (dark + 0.05)
}

/**
 * Return the colour for both themes, with as little black or white as it needs to stand out from the sea and
 * from the land of any cluster.
 */
export function forThemes(color: string): ThemeColor {
  const withContrast = (background: string, towards: string) => {
    let share = 0
    while (contrast(mix(color, towards, share), background) < MIN_CONTRAST) share += 0.03
    return mix(color, towards, share)
  }
  // No land is darker, or brighter, than that of a black or white cluster would be.
  const ground = (background: string, extreme: string) => mix(background, extreme, LAND)
  return {
    light: withContrast(ground(BACKGROUND.light, '#000000'), '#000000'),
    dark: withContrast(ground(BACKGROUND.dark, '#ffffff'), '#ffffff'),
  }
}
