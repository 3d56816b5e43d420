"""Read and write files, and end a run with a one-sentence error message.

Uses the standard library alone, so that a script can explain a library that is missing.
"""

import bz2
import contextlib
import gzip
import json
import linecache
import lzma
import os
import re
import signal
import sys
import tempfile
import zipfile
import zlib

OLDEST_PYTHON = (3, 9)


class RunError(Exception):
    """End a run with a sentence for the user: what is wrong, in which file, and what to do."""

    status = 1  # exit status of the script

    def _render_traceback_(self):
        """Show the sentence instead of a traceback in a notebook (a protocol of IPython)."""
        return [str(self)]


class UsageError(RunError):
    """End a run because of a wrong setting, argument or option."""

    status = 2


STOPPED = 'stopped; every file that was finished is complete.'


def start_script():
    """Report errors of this script in one sentence; until its imports are done, Ctrl-C ends it at once.

    Some libraries swallow a KeyboardInterrupt while they are imported.
    """
    sys.excepthook = end_with_sentence
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # one that is ignored stays so
        signal.signal(signal.SIGINT, _end_at_once)


def end_imports():
    """Let Ctrl-C raise KeyboardInterrupt from now on."""
    if signal.getsignal(signal.SIGINT) is _end_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_at_once(*_):
    print_error(STOPPED)
    os._exit(130)


def end_with_sentence(kind, error, traceback):
    """Print why a script ends as one sentence on standard error, and exit; a `sys.excepthook`.

    Unexpected errors keep their traceback.
    """
    script = os.path.basename(sys.argv[0])
    status = getattr(error, 'status', 1)
    if isinstance(error, RunError):
        sentence = str(error)
    elif isinstance(error, KeyboardInterrupt):
        sentence, status = STOPPED, 130
    elif isinstance(error, MemoryError):
        sentence = 'there is not enough memory; use fewer titles, or split the lists into smaller files.'
    elif isinstance(error, BrokenPipeError):
        sys.stdout = open(os.devnull, 'w')  # noqa: SIM115 - for what Python still has to flush
        sentence = 'the program that reads the output has ended.'
    elif isinstance(error, ModuleNotFoundError):
        sentence = _missing_library(script, error)
    elif _fails_to_import(traceback):
        sentence = (
            f'the installed libraries do not fit each other ({error}); '
            'run: pip install --upgrade -r requirements.txt'
        )
    elif isinstance(error, NameError) and (place := _unquoted(traceback)):
        sentence, status = f'{place}: {error}; a text needs quotes around it.', 2
    else:
        sys.__excepthook__(kind, error, traceback)
        sys.exit(1)
    print_error(sentence)
    sys.exit(status)


def print_error(sentence):
    """Print the name of the script and a sentence on standard error."""
    print(f'{os.path.basename(sys.argv[0])}: {one_line(sentence)}', file=sys.stderr)


def _unquoted(traceback):
    """Return the file and line of a setting whose value lacks its quotes, else None."""
    while traceback.tb_next:
        traceback = traceback.tb_next
    path, line = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
    if re.match(r'[A-Z_]+ = [\w./-]+\s*(#|$)', linecache.getline(path, line)):
        return f'{os.path.basename(path)}, line {line}'
    return None


def _fails_to_import(traceback):
    """Tell whether an error comes from the import of an installed library."""
    while traceback and 'site-packages' not in traceback.tb_frame.f_code.co_filename:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_name == '<module>'


def _missing_library(script, error):
    if sys.version_info < OLDEST_PYTHON:
        return (
            'this is Python {}.{}, and 3.9 or newer is needed; take a newer one, or let uv bring its own: '
            'uv run --python 3.12 --with-requirements requirements.txt {}'.format(
                *sys.version_info[:2], script
            )
        )
    requirements = '--no-deps mxnet==1.9.1' if error.name == 'mxnet' else '-r requirements.txt'
    return (
        f'the library {error.name} is missing; run: pip install {requirements} '
        '(or, where that was done: source .venv/bin/activate)'
    )


def one_line(text, length=1000):
    """Return a text as one line of printable characters, at most `length` of them."""
    return ' '.join(''.join(filter(str.isprintable, word)) for word in str(text).split())[:length]


def read_bytes(path, name=''):
    """Return the content of a file, packed or not; RunError if it cannot be read.

    name: the setting that holds the path.
    """
    return read_member(path, name)[0]


def read_member(path, name='', is_wanted=None):
    """Return what read_bytes() does, and the name of the file inside a zip archive, '' if it is none.

    is_wanted: which file of a zip archive to read, see unpacked().
    """
    try:
        with open(path, 'rb') as file:
            content = unpacked(file, is_wanted)
            return content.read(), content.name if isinstance(content, zipfile.ZipExtFile) else ''
    except PACKING_ERRORS as error:
        reason = getattr(error, 'strerror', None) or error
        raise RunError(f'{label(path, name)} cannot be read: {reason}.') from None


def read_text(path, name=''):
    """Return the text of a UTF-8 file, with or without a byte order mark; RunError if that fails."""
    try:
        return read_bytes(path, name).decode('utf-8-sig')
    except UnicodeDecodeError:
        raise RunError(f'{label(path, name)} is not UTF-8 text; save it as UTF-8.') from None


def decode(content):
    """Return bytes as text, and the name of their encoding: UTF-8, UTF-16 with its mark, else cp1252."""
    if content.startswith((b'\xff\xfe', b'\xfe\xff')):
        return content.decode('utf-16', 'replace'), 'UTF-16'
    try:
        return content.decode('utf-8-sig'), 'UTF-8'
    except UnicodeDecodeError:
        return content.decode('cp1252', 'replace'), 'cp1252'


def read_json(path, name=''):
    """Return what a JSON file holds; RunError if that fails."""
    return parse_json(read_text(path, name), path, name)


def parse_json(text, path, name=''):
    """Return what the JSON text of the file `path` holds; RunError if it is none.

    NaN and Infinity, which are no JSON but which Python writes, are read as null.
    """
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        what = f'{label(path, name)} is not valid JSON: {error}'
        raise RunError(f'{what}. Repair it or make it again.') from None


# The first bytes of packed files, and the errors that damaged packing raises.
OPENERS = {b'\x1f\x8b': gzip.open, b'\xfd7zXZ\0': lzma.open, b'BZh': bz2.open}
ZSTD_START = b'\x28\xb5\x2f\xfd'
PACKING_ERRORS = (EOFError, OSError, NotImplementedError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)


def unpacked(file, is_wanted=None):
    """Return a binary file that reads the content of `file`, which may be packed: gzip, xz, bzip2, zip, zstd.

    Its first bytes tell which, never its name. is_wanted: function of a file's first bytes; of a zip archive
    with several files, the largest that it accepts is read, else the first. zstd holds text. Damaged packing
    raises one of PACKING_ERRORS, also later, while the result is read.
    """
    head = file.read(6)
    file.seek(0)
    if head.startswith(b'PK\3\4'):
        return _zip_member(zipfile.ZipFile(file), is_wanted)
    if head.startswith(ZSTD_START):
        return _unpacked_zstd(file.read())
    for start, opener in OPENERS.items():
        if head.startswith(start):
            return opener(file)
    return file


def _zip_member(archive, is_wanted):
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith('__MACOSX/')
    ]
    if not members or members[0].flag_bits & 1:
        raise zipfile.BadZipFile('it is empty or locked with a password')
    if is_wanted and len(members) > 1:
        wanted = []
        for member in members:
            with archive.open(member) as file:
                if is_wanted(file.read(1 << 16)):
                    wanted.append(member)
        members = sorted(wanted, key=lambda member: -member.file_size) or members
    return archive.open(members[0])


def _unpacked_zstd(content):
    """Return the unpacked text as a temporary file. Python has no zstd before 3.14, but polars has."""
    import polars as pl

    plain = tempfile.NamedTemporaryFile()  # noqa: SIM115 - the caller closes it
    options = {'has_header': False, 'separator': '\x1f', 'quote_char': None, 'infer_schema': False}
    try:
        lines = pl.scan_csv(content, encoding='utf8-lossy', truncate_ragged_lines=True, **options)
        lines.sink_csv(plain.name, include_header=False, quote_style='never')
    except (pl.exceptions.PolarsError, OSError) as error:
        raise OSError(f'zstd, unpacked into {tempfile.gettempdir()} (TMPDIR): {error!s:.100}') from None
    return plain


def label(path, name=''):
    """Return how messages name a file: "ANIME_LIST (animelist.txt)", or the path alone."""
    return f'{name} ({path})' if name else str(path)


def make_folder(path, name=''):
    """Make a folder where there is none; RunError if that fails, or if no file can be written there."""
    try:
        os.makedirs(path, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        raise RunError(f'{label(path, name)} cannot be written to: {error.strerror}.') from None


@contextlib.contextmanager
def whole_files(*paths):
    """Open files for writing bytes; they replace `paths` only when all of them are complete.

    Yields a list of binary files. RunError if writing fails; the old files are then unchanged. A process that
    is killed while it writes leaves `PATH.PID.tmp`, which can be deleted. Later runs do not delete it: where
    containers or machines share a folder, they cannot know whether its process is still running.
    """
    parts = [f'{path}.{os.getpid()}.tmp' for path in paths]
    try:
        with contextlib.ExitStack() as stack:
            opened = [stack.enter_context(open(part, 'wb')) for part in parts]
            yield opened
            for file in opened:
                file.flush()
                os.fsync(file.fileno())
        for part, path in zip(parts, paths):
            os.replace(part, path)
    except OSError as error:
        raise RunError(
            f'{" and ".join(map(str, paths))} cannot be written: {error.strerror or error}; what was there '
            'before is unchanged.'
        ) from None
    finally:
        for part in parts:
            with contextlib.suppress(OSError):
                os.remove(part)


def write_json(path, content, indent=1):
    """Write `content` as a JSON file, whole or not at all; indent=None writes it in one line."""
    with whole_files(path) as (file,):
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=indent)
        file.write(text.encode(errors='backslashreplace'))  # lone surrogates


def write_csv(path, frame):
    """Write a DataFrame as a CSV file in UTF-8, whole or not at all; numbers with four decimals."""
    with whole_files(path) as (file,):
        file.write(frame.to_csv(index=False, lineterminator='\n', float_format='%.4f').encode())
