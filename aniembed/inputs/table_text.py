"""Prepare tables in text files for a reader of CSV: packing, encodings, separators and quotes."""

import contextlib
import csv
import os
import tempfile
import zipfile

import polars as pl

from aniembed.files import PACKING_ERRORS, RunError, unpacked

UTF16_MARKS = b'\xff\xfe', b'\xfe\xff'


@contextlib.contextmanager
def plain_file(path, is_wanted, encoding=''):
    """Give the name of the unpacked file in UTF-8, a temporary one where needed, and that of a zip's member.

    is_wanted: see files.unpacked; encoding: that of the file, where it is neither UTF-8 nor marked UTF-16.
    RunError if it cannot be read.
    """
    with contextlib.ExitStack() as stack:
        plain, member = path, ''
        try:
            stored = stack.enter_context(open(path, 'rb'))
            content = unpacked(stored, is_wanted)
            if content is not stored:
                stack.enter_context(content)
                plain = stack.enter_context(_copy(content, path)).name
                member = content.name if isinstance(content, zipfile.ZipExtFile) else ''
            with open(plain, 'rb') as file:
                start = file.read(4096)
            encoding = 'utf-16' if start.startswith(UTF16_MARKS) else encoding
            if encoding:
                text = stack.enter_context(open(plain, encoding=encoding, errors='replace', newline=''))
                plain = stack.enter_context(_copy(_Utf8(text), path)).name
            elif b'\0' in start and not start.startswith(b'PAR1'):
                raise RunError(f'{path} is no text in UTF-8; save it as CSV in UTF-8.')
        except PACKING_ERRORS as error:
            raise RunError(f'{path} cannot be read: {getattr(error, "strerror", None) or error}.') from None
        yield plain, os.path.basename(member)


class _Utf8:
    """Read a text file as UTF-8 bytes."""

    def __init__(self, text):
        self.text = text

    def read(self, size):
        return self.text.read(size).encode()


def _copy(content, path):
    """Return a temporary file with the content of a binary file; RunError if it cannot be written."""
    try:
        plain = tempfile.NamedTemporaryFile()  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise _no_room(path, error) from None
    while piece := content.read(1 << 20):
        try:
            plain.write(piece)
            plain.flush()
        except OSError as error:
            raise _no_room(path, error) from None
    return plain


def _no_room(path, error):
    return RunError(
        f'{path} cannot be unpacked into {tempfile.gettempdir()}: {error.strerror}. Set TMPDIR to a folder '
        'with more room, or unpack the file yourself.'
    )


def is_utf8(path):
    """Tell whether all of a file is UTF-8 text."""
    try:
        with open(path, encoding='utf-8') as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return False
    return True


def has_quotes(path):
    """Tell whether there is a double quote in a file."""
    with open(path, 'rb') as file:
        return any(b'"' in piece for piece in iter(lambda: file.read(1 << 20), b''))


def lines_of(path):
    """Return the lines of a text file as a polars LazyFrame with one column, `line`."""
    options = {'quote_char': None, 'infer_schema': False, 'encoding': 'utf8-lossy', 'glob': False}
    lines = pl.scan_csv(path, has_header=False, separator='\x1f', truncate_ragged_lines=True, **options)
    return lines.rename(lambda _: 'line')


def quote_of(path, separator, rows, label):
    """Return the character that quotes cells of a table: '"', or None where quotes are part of the text.

    rows: how many rows a reader finds that knows quotes, None if it fails. Where these are fewer than lines,
    either cells hold line ends, or a lone quote swallows rows. RunError names the line if neither way of
    reading gives every row as many cells as the header has.
    """
    lines = lines_of(path)
    separators = pl.col('line').str.count_matches(separator, literal=True).fill_null(0)
    counts = lines.select(separators).collect(engine='streaming')['line']
    if rows == len(counts) - 1:
        return '"'
    try:
        with open(path, newline='', encoding='utf-8', errors='replace') as file:
            reader = csv.reader(file, delimiter=separator, strict=True)
            width = len(next(reader))
            if all(len(cells) in (0, width) for cells in reader):
                return '"'
    except csv.Error:
        pass
    ragged = (counts != counts[0]) & (lines.collect()['line'].fill_null('').str.strip_chars() != '')
    if not ragged.any():
        return None
    line = int(ragged.arg_true()[0])
    text = lines.slice(line, 1).collect().item()
    raise RunError(
        f'{label}, line {line + 1} has a quote that does not end, or another number of cells than the first '
        f'line: {text!r:.200}. Mend it, or save the file with quotes around all texts.'
    )
