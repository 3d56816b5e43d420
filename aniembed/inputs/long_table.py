"""Read a long table of ratings, one row a rating, as the public data sets have it: CSV, TSV or Parquet.

polars reads it: in a third of the time of pandas in chunks, and whatever numpy is installed.
"""

import contextlib
import functools
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix, csr_matrix

from aniembed.files import PACKING_ERRORS, RunError, unpacked
from aniembed.inputs import columns

NUMBERED = ('user_id', 'userid')  # names of columns in which users may be numbers; elsewhere 007 is not 7
NO_SCORE = -1  # on the list without a score, as 0 is
MOST_WRONG = 1 / 1000  # share of rows that may be no rating
LARGE_FILE = 100 << 20  # bytes of text from which the time of reading is estimated, from its first rows
FIRST_BYTES = 4 << 20
LONG_WAIT = 10  # seconds of reading from which on the estimate is printed
USUAL_ID = 1 << 20  # MAL ids up to which every number has a column, whether a title has it or not
CSV = {'encoding': 'utf8-lossy', 'infer_schema': False, 'truncate_ragged_lines': True}  # read by polars
PARQUET_START = b'PAR1'


def read_blocks(paths, ids, users_per_block):
    """Return all lists of some files in blocks, and the function that makes user_items of one of them.

    user_items: csr_matrix, users x the titles `ids`; users are in order of appearance. Of two rows for one
    pair the last counts. RunError if a column is missing or too many rows are no rating.
    """
    names, blocks = _read_scores(_stamps(paths), users_per_block)
    columns = np.searchsorted(names, ids)
    columns[names[np.minimum(columns, len(names) - 1)] != ids] = len(names)  # the empty one

    def user_items(block):
        selected = block[:, columns].tocsr()
        selected.data = selected.data.astype(np.float32)
        return selected

    return blocks, user_items


def count_scores(paths, users_per_block):
    """Return how many users score each title, as a dict MAL id -> int."""
    names, blocks = _read_scores(_stamps(paths), users_per_block)
    counts = sum((np.diff(block.indptr)[:-1] for block in blocks), np.zeros(len(names), int))
    scored = counts > 0
    return dict(zip(names[scored].tolist(), counts[scored].tolist()))


def read_user(paths, ids, username):
    """Return one user's list as a dict MAL id -> score, 0 where there is none; None without the user."""
    rows = []
    for path, plain in _plain_files(paths):
        user = pl.col('user').cast(pl.String).str.to_lowercase()
        rows.append(_collect(_scan(plain, path).filter(user == username.lower()), path))
    rows = pl.concat(rows)
    if rows.is_empty():
        return None
    known = set(ids)
    return {
        int(mal_id): float(max(score, 0))
        for mal_id, score in rows.select('title', 'score').iter_rows()
        if mal_id in known and score is not None and score <= 10
    }


def _stamps(paths):
    """Return what tells whether files have changed: (path, time of the last change, bytes) of each."""
    stamps = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError as error:
            raise RunError(f'{path} cannot be read: {error.strerror}.') from None
        stamps.append((path, status.st_mtime_ns, status.st_size))
    return tuple(stamps)


@functools.lru_cache(maxsize=1)  # the titles with the most scores, their means and the index need the same
def _read_scores(stamps, users_per_block):
    """Return the MAL ids of titles, ascending, and all scores of them as blocks of users x titles.

    A block is a csc_matrix of the scores 1 to 10 with one more column, which is empty: in this form a title's
    scores are counted, and titles are selected, without a look at single scores.
    """
    starts, titles, scores = _read_lists([path for path, _, _ in stamps])
    largest = int(titles.max(initial=0))
    if largest < USUAL_ID:
        names = np.arange(largest + 1)
    else:
        names, titles = np.unique(titles, return_inverse=True)
        titles = titles.astype(np.int32)

    def block(first):
        own = starts[first : first + users_per_block + 1]
        rows = slice(own[0], own[-1])
        shape = len(own) - 1, len(names) + 1
        return _last_scores(csr_matrix((scores[rows], titles[rows], (own - own[0]).astype(np.int32)), shape))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return names, list(pool.map(block, range(0, len(starts) - 1, users_per_block)))


def _last_scores(entries):
    """Return the last entry of each pair as a csc_matrix, those without a score left out.

    entries: csr_matrix in which a pair may stand several times.
    """
    entries = entries.tocsc()  # keeps the order of what belongs to one pair
    again = entries.indices[1:] == entries.indices[:-1]
    begin = entries.indptr[1:-1]  # of the columns; the entry before is of another one
    again[begin[(begin > 0) & (begin < entries.nnz)] - 1] = False
    entries.data[:-1][again] = 0
    np.maximum(entries.data, 0, out=entries.data)
    entries.eliminate_zeros()
    return entries


def _read_lists(paths):
    """Return the rows of all files by user: where each list starts (and the last ends), titles and scores."""
    users, *arrays = zip(*(_read_rows(path, plain) for path, plain in _plain_files(paths)))
    if len({part.dtype for part in users}) > 1:  # numbers in one file, names in another
        users = [part.cast(pl.String) for part in users]
    users = pl.concat(users)
    lengths, titles, scores = (parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in arrays)
    names = users.unique(maintain_order=True)
    if len(names) == len(users):  # all rows of a user follow each other
        return np.concatenate([[0], np.cumsum(lengths)]), titles, scores
    numbers = names.to_frame().with_row_index('number')
    numbers = users.to_frame().join(numbers, on='user', how='left', maintain_order='left')['number']
    rows = np.repeat(numbers.to_numpy().astype(np.int32), lengths)
    by_user = coo_matrix((scores, (rows, titles)))
    by_user.has_canonical_format = True  # or the conversion adds up what belongs to one pair
    by_user = by_user.tocsr()
    return by_user.indptr, by_user.indices, by_user.data


def _read_rows(path, plain):
    """Return the rows of a file that are ratings, as (users, lengths, titles, scores).

    The first two: whose rows follow each other, and how many; titles and scores: of all rows.
    """
    _announce(path, plain)
    try:
        rows = _scan(plain, path, 'whole numbers').collect(engine='streaming')
    except pl.exceptions.PolarsError:  # not all are whole numbers, or the file is damaged
        rows = _collect(_scan(plain, path), path)
    if not rows['right'].all():
        _report_wrong(path, plain, rows['right'].to_numpy())
        rows = rows.filter('right')
    users = rows['user']
    codes = users.to_physical().to_numpy()
    first = np.concatenate([np.zeros(min(1, len(codes)), int), np.flatnonzero(codes[1:] != codes[:-1]) + 1])
    lengths = np.diff(first, append=len(codes))
    return users.gather(first), lengths, rows['title'].to_numpy(), rows['score'].to_numpy()


def _report_wrong(path, plain, right):
    """Say how many rows are no ratings; RunError if they are too many."""
    wrong = len(right) - int(right.sum())
    first = int(np.argmin(right))
    place = f'row {first + 1}' if _is_parquet(plain) else f'line {first + 2}'
    sentence = (
        f'{path}: {wrong:,} of {len(right):,} rows are not a user, a MAL id and a score from 1 to 10 (0 or '
        f'-1 for none); the first is {place}: {_values(path, plain, first)}'
    )
    if wrong > MOST_WRONG * len(right):
        raise RunError(
            f'{sentence}. Mend the file; more than one row in {round(1 / MOST_WRONG)} is too many.'
        )
    print(f'{sentence}. They are passed over.')


def _values(path, plain, row):
    """Return the values of one row, as text."""
    return ', '.join(map(repr, _collect(_scan(plain, path, 'text').slice(row, 1), path).row(0)))


def _announce(path, plain):
    """Say how long reading takes where that is more than a few seconds, estimated from the first rows."""
    size = os.path.getsize(plain)
    if size < LARGE_FILE or _is_parquet(plain):
        return
    with open(plain, 'rb') as file:
        rows = file.read(FIRST_BYTES)
    started = time.perf_counter()
    with _one_sentence(path):
        pl.read_csv(rows[: rows.rfind(b'\n') + 1], separator=_separator(plain), **CSV)
    seconds = (time.perf_counter() - started) * size / len(rows)
    if seconds > LONG_WAIT:
        print(f'reading {path}: about {seconds:.0f} s', flush=True)


def _plain_files(paths):
    """Yield (path, its unpacked file) for each."""
    for path in paths:
        with _plain_file(path) as plain:
            yield path, plain


def _collect(table, path):
    with _one_sentence(path):
        return table.collect(engine='streaming')


@contextlib.contextmanager
def _one_sentence(path):
    try:
        yield
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition('\n')[0][:200]
        raise RunError(f'{path} cannot be read as a table: {reason}.') from None


@contextlib.contextmanager
def _plain_file(path):
    """Give the name of the unpacked file, a temporary one where `path` is packed."""
    try:
        with open(path, 'rb') as stored:
            content = unpacked(stored)
            if content is stored:
                yield path
                return
            with tempfile.NamedTemporaryFile() as plain:
                shutil.copyfileobj(content, plain, 1 << 20)
                plain.flush()
                yield plain.name
    except PACKING_ERRORS as error:
        raise RunError(f'{path} cannot be read: {getattr(error, "strerror", None) or error}.') from None


def _is_parquet(plain):
    with open(plain, 'rb') as file:
        return file.read(len(PARQUET_START)) == PARQUET_START


def _scan(plain, path, form='numbers'):
    """Return a file as a polars LazyFrame with the columns user, title, score, and right: is it a rating.

    user is categorical or an integer, title an integer and score a float; what cannot be read is null. In the
    form 'whole numbers' score is an integer, too, and whatever is none ends the reading with an error of
    polars; in the form 'text' all is as it stands in the file.
    """
    with _one_sentence(path):
        parquet, options = _is_parquet(plain), {'separator': _separator(plain), **CSV}
        table = pl.scan_parquet(plain) if parquet else pl.scan_csv(plain, **options)
        schema = table.collect_schema()
        names = user, title, score = _find_columns(schema.names(), path)
    renamed = dict(zip(names, ('user', 'title', 'score')))
    if form == 'text':
        return table.select(names).rename(renamed)
    whole = form == 'whole numbers'
    numbered = schema[user].is_integer() or (whole and user.strip().lower() in NUMBERED)
    kinds = {user: pl.Categorical, title: pl.Float64, score: pl.Float32}
    if parquet:
        table = table.with_columns(pl.col(name).cast(kinds[name], strict=False) for name in (title, score))
        if not numbered:
            table = table.with_columns(pl.col(user).cast(pl.String).cast(pl.Categorical))
    else:
        if whole:
            kinds = {user: pl.Int32 if numbered else pl.Categorical, title: pl.Int32, score: pl.Int8}
        table = pl.scan_csv(
            plain, schema_overrides=kinds, ignore_errors=not whole, separator=_separator(plain), **CSV
        )
    table = table.select(names).rename(renamed)
    title, score = pl.col('title'), pl.col('score')
    title = pl.when(title == title.floor()).then(title).cast(pl.Int32, strict=False)
    is_score = ((score >= 1) & (score <= 10)) | (score == 0) | (score == NO_SCORE)
    named = pl.col('user').is_not_null() if numbered else pl.col('user') != ''
    right = is_score & (pl.col('title') > 0) & named
    return table.with_columns(title).with_columns(right=right.fill_null(False))


def _separator(path):
    with open(path, 'rb') as file:
        header = file.readline()
    return '\t' if header.count(b'\t') > header.count(b',') else ','


def _find_columns(names, path):
    """Return the names of the columns for user, title and score; RunError says which names would do."""
    found = columns.find_columns(names, columns.RATINGS)
    for what, candidates in found.items():
        if not candidates:
            raise RunError(
                f'{path} has no column for the {what} (looked for: {", ".join(columns.RATINGS[what])}); its '
                f'columns are {", ".join(names)[:300]}.'
            )
    return [candidates[0] for candidates in found.values()]
