/** Colours as #rrggbb: mixed, and made to stand out from the page's background. */

export interface ThemeColor {
  light: string
  dark: string
}

/** --background of style.css. */
const BACKGROUND: ThemeColor = { light: '#f7f6f3', dark: '#14151a' }

/** What WCAG asks of graphics that carry meaning. */
const LEAST_CONTRAST = 3

const channels = (color: string) => [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16))

/** `share` of b in a. */
export function mix(a: string, b: string, share: number): string {
  const other = channels(b)
  const mixed = channels(a).map((value, k) => Math.round(value * (1 - share) + other[k] * share))
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

/** Relative luminance by WCAG, 0 to 1. */
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

/** The colour itself where it stands out from both backgrounds, else with as little black or white as it takes. */
export function forThemes(color: string): ThemeColor {
  const standOut = (background: string, towards: string) => {
    let share = 0
    while (contrast(mix(color, towards, share), background) < LEAST_CONTRAST) share += 0.03
    return mix(color, towards, share)
  }
  return { light: standOut(BACKGROUND.light, '#000000'), dark: standOut(BACKGROUND.dark, '#ffffff') }
}
