/** Reading files that the page did not write, up to a maximum size. */

/** A file that the page cannot use; the message is a sentence for the user. */
export class FileError extends Error {}

export const UNREADABLE = 'The file could not be read. It may have been moved or deleted.'

/**
 * Give the parts of a stream. Throws FileError after `maxBytes`, before the rest is fetched or unpacked, and
 * FileError(`broken`) when the stream fails.
 */
async function* readParts(stream: ReadableStream<Uint8Array>, maxBytes: number, broken: string) {
  const reader = stream.getReader()
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new FileError(broken)
    })
    if (done) return
    bytes += value.length
    if (bytes > maxBytes) {
      // Not awaited: unpacking may take time to stop, and nothing depends on it.
      void reader.cancel()
      throw new FileError(
        `The file is larger than ${maxBytes / 2 ** 20} MB, more than any file of its kind. It was not read.`,
      )
    }
    yield value
  }
}

/** Return a stream as bytes; errors are those of readParts. */
export async function readBytes(stream: ReadableStream<Uint8Array>, maxBytes: number, broken: string) {
  const parts: Uint8Array<ArrayBuffer>[] = []
  for await (const part of readParts(stream, maxBytes, broken)) parts.push(part as Uint8Array<ArrayBuffer>)
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

/** Return a stream of UTF-8 as text; errors are those of readParts. */
export async function readText(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  broken: string,
  onBytes = (_bytes: number) => {},
): Promise<string> {
  const decoder = new TextDecoder()
  const parts: string[] = []
  let bytes = 0
  for await (const part of readParts(stream, maxBytes, broken)) {
    parts.push(decoder.decode(part, { stream: true }))
    bytes += part.length
    onBytes(bytes)
  }
  parts.push(decoder.decode())
  return parts.join('')
}
