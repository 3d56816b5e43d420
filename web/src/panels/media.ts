/** Kinds of screens, as the style sheets tell them apart. */
import { useCallback, useSyncExternalStore } from 'react'

export const LARGE = matchMedia('(min-width: 900px) and (min-height: 600px)')
export const SMALL = matchMedia('(max-width: 899px)')
/** A phone that is held upright: tools and panel come from below. */
export const UPRIGHT = matchMedia('(max-width: 899px) and (orientation: portrait)')

/** Return whether the screen is of a kind now. */
export function useMedia(media: MediaQueryList): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      media.addEventListener('change', listener)
      return () => media.removeEventListener('change', listener)
    },
    [media],
  )
  return useSyncExternalStore(subscribe, () => media.matches)
}
