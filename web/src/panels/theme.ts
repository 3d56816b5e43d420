/** Light or dark: as the system, or as the user chooses. */
import { useEffect, useState } from 'react'

const THEMES = {
  auto: { next: 'light', name: 'as the system', sign: '◐' },
  light: { next: 'dark', name: 'light', sign: '☀' },
  dark: { next: 'auto', name: 'dark', sign: '☾' },
} as const

const systemDark = matchMedia('(prefers-color-scheme: dark)')

export interface Theme {
  dark: boolean
  name: string
  sign: string
  next(): void
}

export function useTheme(): Theme {
  const [theme, setTheme] = useState<keyof typeof THEMES>('auto')
  const [systemIsDark, setSystemIsDark] = useState(systemDark.matches)
  useEffect(() => {
    const onChange = () => setSystemIsDark(systemDark.matches)
    systemDark.addEventListener('change', onChange)
    return () => systemDark.removeEventListener('change', onChange)
  }, [])
  const dark = theme === 'dark' || (theme === 'auto' && systemIsDark)
  // While rendering, so that effects that read the colours find the new ones.
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  const { next, name, sign } = THEMES[theme]
  return { dark, name, sign, next: () => setTheme(next) }
}
