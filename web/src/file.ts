/** Reading files that the page did not write, up to a maximum size. */

/** A file that the page cannot use; the message is a sentence for the user. */
export class FileError extends Error {}

export const UNREADABLE = 'The file could not be read. It may have been moved or deleted.'

/**
 * Return a stream as text. Throws FileError after `maxBytes`, before the rest is fetched or unpacked, and
 * FileError(`broken`) when the stream fails.
 */
export async function readText(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
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
    if (bytes > maxBytes) {
      // Not awaited: unpacking may take time to stop, and nothing depends on it.
      void reader.cancel()
      throw new FileError(
        `The file is larger than ${maxBytes / 2 ** 20} MB, more than any file of its kind. It was not read.`,
      )
    }
    parts.push(decoder.decode(value, { stream: true }))
    onBytes(bytes)
  }
  parts.push(decoder.decode())
  return parts.join('')
}
