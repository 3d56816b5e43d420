/** Links to what the page shows, and a picture of the map. */
import { useState } from 'react'
import { linkTo } from '../data/route'
import type { Settings } from '../data/settings'

interface Props {
  settings: Settings
  scores: ReadonlyMap<number, number>
  /** Makes the picture, or returns null while the map is not drawn yet; null where there is no map. */
  picture: (() => Promise<Blob> | null) | null
}

/** Return whether the text is on the clipboard; a browser may not allow it. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

async function save(picture: () => Promise<Blob> | null) {
  const made = await picture()
  if (!made) return
  const address = URL.createObjectURL(made)
  const link = document.createElement('a')
  link.href = address
  link.download = 'aniembed.png'
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

export function SharePanel({ settings, scores, picture }: Props) {
  const [link, setLink] = useState<{ text: string; copied: boolean } | null>(null)
  const share = async (withScores: boolean) => {
    const text = linkTo(settings, withScores ? scores : null)
    // The browser may ask the user first, and meanwhile another link may be wanted.
    setLink({ text, copied: false })
    if (await copy(text)) setLink((shown) => (shown?.text === text ? { text, copied: true } : shown))
  }
  return (
    <>
      <p className="buttons share">
        <button type="button" className="quiet" onClick={() => share(false)}>
          Copy link
        </button>
        {scores.size > 0 && (
          <button type="button" className="quiet" onClick={() => share(true)}>
            Link with your scores
          </button>
        )}
        {picture && (
          <button type="button" className="quiet" onClick={() => save(picture)}>
            Save picture
          </button>
        )}
      </p>
      <div role="status">
        {link && (
          <label className="shared-link">
            {link.copied ? 'Copied:' : 'Copy this link:'}
            <input readOnly value={link.text} onFocus={({ target }) => target.select()} />
          </label>
        )}
      </div>
    </>
  )
}
