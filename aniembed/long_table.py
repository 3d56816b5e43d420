"""Read a long table of ratings, one row a rating, as the public data sets have it: CSV, TSV or Parquet.

polars reads it: in half the time of pandas in chunks (26 million rows on two quiet cores: 1.6 s, 3.2 s), and
whatever numpy is installed.
"""

import contextlib
import os
import shutil
import tempfile
import time

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix, csr_matrix

from aniembed.files import PACKING_ERRORS, RunError, unpacked

# The names that a column may have, without regard to case, the best first
USER_COLUMNS = ('username', 'user_name', 'user', 'user_id', 'userid')
TITLE_COLUMNS = ('anime_id', 'mal_id', 'animeid')
SCORE_COLUMNS = ('my_score', 'rating', 'score', 'user_score')
NO_SCORE = -1  # on the list without a score, as 0 is
MOST_WRONG = 1 / 1000  # share of rows that may be no rating
LARGE_FILE = 100 << 20  # bytes of text from which the time of reading is estimated, from its first rows
FIRST_ROWS = 1_000_000
LONG_WAIT = 10  # seconds of reading from which on the estimate is printed
PARQUET_START = b'PAR1'


def read_user_items(paths, ids):
    """Return all lists of some files as one csr_matrix, users x the titles `ids`, in order of appearance.

    Of two rows for one pair the last counts. RunError if a column is missing or too many rows are no rating.
    """
    users, titles, scores = _read_rows(paths)
    position = np.full(max(int(titles.max(initial=0)), *ids) + 1, -1, np.int32)
    position[ids] = np.arange(len(ids))
    users = _by_first_appearance(users)
    shape = (int(users.max()) + 1 if len(users) else 0), len(ids)
    known = position[titles] >= 0
    columns = position[titles[known]]
    users, scores = users[known], scores[known]
    # The conversion keeps the order of entries with the same row and column: the last of a pair stays last
    user_items = _without_summing(scores, users, columns, shape)
    row_of = np.repeat(np.arange(shape[0], dtype=np.int32), np.diff(user_items.indptr))
    last = np.ones(user_items.nnz, bool)
    last[:-1] = (user_items.indices[1:] != user_items.indices[:-1]) | (row_of[1:] != row_of[:-1])
    keep = last & (user_items.data > 0)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row_of[keep], minlength=shape[0]))])
    return csr_matrix((user_items.data[keep], user_items.indices[keep], indptr), shape)


def read_user(paths, ids, username):
    """Return one user's list as a dict MAL id -> score, 0 where there is none; None without the user."""
    rows = []
    for path, _, table in _open_tables(paths):
        user = pl.col('user').cast(pl.String).str.to_lowercase()
        rows.append(_collect(table.filter(user == username.lower()), path))
    rows = pl.concat(rows)
    if rows.is_empty():
        return None
    known = set(ids)
    return {
        int(mal_id): float(max(score, 0))
        for mal_id, score in rows.select('title', 'score').iter_rows()
        if mal_id in known and score is not None and score <= 10
    }


def count_scores(paths):
    """Return how many scores each title has, as a dict MAL id -> int."""
    counts = {}
    for path, _, table in _open_tables(paths):
        scored = table.filter((pl.col('score') >= 1) & (pl.col('score') <= 10) & (pl.col('title') > 0))
        for mal_id, number in _collect(scored.group_by('title').len(), path).iter_rows():
            counts[mal_id] = counts.get(mal_id, 0) + number
    return counts


def _read_rows(paths):
    """Return the users (codes), titles (MAL ids) and scores of all rows that are ratings, as arrays."""
    parts = []
    for path, plain, table in _open_tables(paths):
        _announce(path, plain, table)
        rows = _collect(table, path)
        users = rows['user'].to_physical().fill_null(0).to_numpy()
        titles, scores = rows['title'].fill_null(0).to_numpy(), rows['score'].to_numpy()
        right = (titles > 0) & (scores <= 10) & ((scores >= 1) | (scores == 0) | (scores == NO_SCORE))
        right &= (rows['user'] != '').fill_null(False).to_numpy()
        if not right.all():
            _report_wrong(path, plain, right)
            users, titles, scores = users[right], titles[right], scores[right]
        parts.append((users, titles, scores.astype(np.float32, copy=False)))
    return parts[0] if len(parts) == 1 else [np.concatenate(arrays) for arrays in zip(*parts)]


def _report_wrong(path, plain, right):
    """Say how many rows are no ratings; RunError if they are too many."""
    wrong = len(right) - int(right.sum())
    first = int(np.argmin(right))
    place = f'row {first + 1}' if _is_parquet(plain) else f'line {first + 2}'
    sentence = (
        f'{path}: {wrong:,} of {len(right):,} rows are not a user, a MAL id and a score from 1 to 10 (0 or '
        f'-1 for none); the first is {place}: {_values(path, first)}'
    )
    if wrong > MOST_WRONG * len(right):
        raise RunError(
            f'{sentence}. Mend the file; more than one row in {round(1 / MOST_WRONG)} is too many.'
        )
    print(f'{sentence}. They are passed over.')


def _values(path, row):
    """Return the values of one row, as text."""
    for _, _, table in _open_tables([path], as_text=True):
        return ', '.join(map(repr, _collect(table.slice(row, 1), path).row(0)))


def _announce(path, plain, table):
    """Say how long reading takes where that is more than a few seconds, estimated from the first rows."""
    size = os.path.getsize(plain)
    if size < LARGE_FILE or _is_parquet(plain):
        return
    with open(plain, 'rb') as file:
        bytes_of_first = sum(len(line) for line, _ in zip(file, range(FIRST_ROWS)))
    started = time.perf_counter()
    _collect(table.head(FIRST_ROWS), path)
    seconds = (time.perf_counter() - started) * size / max(1, bytes_of_first)
    if seconds > LONG_WAIT:
        print(f'reading {path}: about {seconds:.0f} s', flush=True)


def _open_tables(paths, as_text=False):
    """Yield (path, its unpacked file, polars LazyFrame with the columns user, title and score) for each.

    user is categorical, title an int and score a float, or all are as they stand in the file.
    """
    for path in paths:
        with _plain_file(path) as plain, _one_sentence(path):
            table = _scan(plain, path, as_text)
            yield path, plain, table


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


def _scan(plain, path, as_text):
    if _is_parquet(plain):
        table = pl.scan_parquet(plain)
        user, title, score = _find_columns(table.collect_schema().names(), path)
        kinds = {title: pl.Float64, score: pl.Float32}
        table = table.with_columns(pl.col(user).cast(pl.String).cast(pl.Categorical))
        table = table.with_columns(pl.col(name).cast(kind, strict=False) for name, kind in kinds.items())
    else:
        options = {'separator': _separator(plain), 'encoding': 'utf8-lossy', 'infer_schema': False}
        options['truncate_ragged_lines'] = True
        user, title, score = _find_columns(pl.scan_csv(plain, **options).collect_schema().names(), path)
        if not as_text:
            kinds = {user: pl.Categorical, title: pl.Float64, score: pl.Float32}
            options |= {'schema_overrides': kinds, 'ignore_errors': True}
        table = pl.scan_csv(plain, **options)
    mal_id = pl.col(title)
    if not as_text:
        mal_id = pl.when(mal_id == mal_id.floor()).then(mal_id).cast(pl.Int32, strict=False)
    return table.select(pl.col(user).alias('user'), mal_id.alias('title'), pl.col(score).alias('score'))


def _separator(path):
    with open(path, 'rb') as file:
        header = file.readline()
    return '\t' if header.count(b'\t') > header.count(b',') else ','


def _find_columns(names, path):
    """Return the names of the columns for user, title and score; RunError says which names would do."""
    lower = {name.strip().lower().lstrip('\ufeff'): name for name in reversed(names)}
    found = []
    for what, wanted in (('user', USER_COLUMNS), ('title', TITLE_COLUMNS), ('score', SCORE_COLUMNS)):
        column = next((lower[name] for name in wanted if name in lower), None)
        if column is None:
            raise RunError(
                f'{path} has no column for the {what} (looked for: {", ".join(wanted)}); its columns are '
                f'{", ".join(names)[:300]}.'
            )
        found.append(column)
    return found


def _by_first_appearance(codes):
    """Return the codes renumbered 0, 1, ... in the order in which they first appear."""
    first = np.full(int(codes.max(initial=0)) + 1, len(codes), np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # of several assignments the last one stays
    number = np.empty(len(first), np.int32)
    number[np.argsort(first, kind='stable')] = np.arange(len(first))
    return number[codes]


def _without_summing(data, rows, columns, shape):
    """Return a csr_matrix with sorted rows that still has every entry, entries of one cell in their order."""
    by_column = coo_matrix((data, (columns, rows)), shape[::-1])
    by_column.has_canonical_format = True  # or the conversion adds up what belongs to one cell
    by_column = by_column.tocsr(copy=False)
    by_column.has_canonical_format = True
    return by_column.T.tocsr()
