/** The first file of a zip archive. */
import { FileError, readBytes, UNREADABLE } from './file'

/** Sizes in bytes and first bytes (little-endian) of the parts of an archive, as APPNOTE.TXT of PKWARE has them. */
const END = { size: 22, mark: 0x06054b50 }
const ENTRY = { size: 46, mark: 0x02014b50 }
const LOCAL = { size: 30, mark: 0x04034b50 }
const MAX_COMMENT = 0xffff
const MAX_DIRECTORY = 2 ** 20
const [STORED, DEFLATED] = [0, 8]
/** Most bytes of a block that is not packed. */
const BLOCK = 0xffff

/**
 * Return the first file of a zip archive as a stream of its bytes, which fails where they are damaged. Throws
 * FileError(`broken`) if the archive is damaged, has no file, or is locked with a password.
 */
export async function firstFile(archive: Blob, broken: string): Promise<ReadableStream<Uint8Array>> {
  const view = async (start: number, end: number) => {
    const { buffer } = await readBytes(archive.slice(start, end).stream(), MAX_DIRECTORY, UNREADABLE)
    return new DataView(buffer)
  }
  const check = (holds: boolean) => {
    if (!holds) throw new FileError(broken)
  }
  // The archive ends with where its directory is, and a comment.
  const tail = await view(Math.max(0, archive.size - END.size - MAX_COMMENT), archive.size)
  let end = tail.byteLength - END.size
  while (end >= 0 && tail.getUint32(end, true) !== END.mark) end--
  check(end >= 0)
  const start = tail.getUint32(end + 16, true)
  const directory = await view(start, start + Math.min(tail.getUint32(end + 12, true), MAX_DIRECTORY))
  for (let at = 0; at + ENTRY.size <= directory.byteLength; ) {
    check(directory.getUint32(at, true) === ENTRY.mark)
    const [flags, method] = [directory.getUint16(at + 8, true), directory.getUint16(at + 10, true)]
    const [sum, packed, size] = [16, 20, 24].map((offset) => directory.getUint32(at + offset, true))
    const [name, extra, comment] = [28, 30, 32].map((offset) => directory.getUint16(at + offset, true))
    const last = at + ENTRY.size + name - 1
    const offset = directory.getUint32(at + 42, true)
    at = last + 1 + extra + comment
    check(last < directory.byteLength)
    if (name > 0 && directory.getUint8(last) === '/'.charCodeAt(0)) continue // a folder
    check((flags & 1) === 0)
    if (method !== STORED && method !== DEFLATED)
      throw new FileError('The file is packed with a kind of zip that browsers do not read. Unpack it first.')
    const local = await view(offset, offset + LOCAL.size)
    check(local.byteLength === LOCAL.size && local.getUint32(0, true) === LOCAL.mark)
    const data = offset + LOCAL.size + local.getUint16(26, true) + local.getUint16(28, true)
    const content = archive.slice(data, data + packed)
    return gunzipped(method === DEFLATED ? [content] : blocksOf(content), sum, size)
  }
  throw new FileError(broken)
}

/** Unpack deflated data as if it were gzipped, so that the browser compares check sum and size, too. */
function gunzipped(deflated: BlobPart[], sum: number, size: number) {
  const head = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
  const foot = new DataView(new ArrayBuffer(8))
  foot.setUint32(0, sum, true)
  foot.setUint32(4, size, true)
  return new Blob([head, ...deflated, foot]).stream().pipeThrough(new DecompressionStream('gzip'))
}

/** Return data that is not packed in the form of deflated data. */
function blocksOf(data: Blob): BlobPart[] {
  const parts: BlobPart[] = []
  for (let start = 0; start === 0 || start < data.size; start += BLOCK) {
    const block = data.slice(start, start + BLOCK)
    const isLast = start + BLOCK >= data.size ? 1 : 0
    const head = new DataView(new ArrayBuffer(5))
    head.setUint8(0, isLast)
    head.setUint16(1, block.size, true)
    head.setUint16(3, ~block.size, true)
    parts.push(head, block)
  }
  return parts
}
