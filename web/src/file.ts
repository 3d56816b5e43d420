/** Files from outside, read with a bound on their size. */

/** A file that the page can't use; the message is a sentence for the user. */
export class FileError extends Error {}

export const UNREADABLE = 'The file could not be read; it may have been moved or deleted.'

/**
 * Reads a stream into text. Throws FileError past `most` bytes, before the rest is fetched or inflated, and with the sentence
 * `broken` when the stream ends in an error.
 */
export async function readText(
  stream: ReadableStream<Uint8Array>,
  most: number,
  broken: string,
  onBytes = (_bytes: number) => {},
): Promise<string> {
  const decoder = new TextDecoder()
  const reader = stream.getReader()
  const parts: string[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new FileError(broken)
    })
    if (done) break
    bytes += value.length
    if (bytes > most) {
      // Not awaited: a stream that is being inflated may take its time to end, and nothing depends on it.
      void reader.cancel()
      throw new FileError(
        `The file holds more than ${most / 2 ** 20} MB, far more than any file of its kind; it was not read.`,
      )
    }
    parts.push(decoder.decode(value, { stream: true }))
    onBytes(bytes)
  }
  parts.push(decoder.decode())
  return parts.join('')
}
