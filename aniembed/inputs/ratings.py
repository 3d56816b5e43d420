"""Read ANIME_DATA_LIST, the members' lists, as blocks of a sparse matrix: `user_items`, users x titles.

user_items is a scipy.sparse.csr_matrix of float32 with the scores 1-10 as its explicit values. The lists are
either a table, users x MAL ids, as lists_download.ipynb pickles it, or a long table, one row a rating, which
long_table.py reads.
"""

import glob
import os
import re

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from tqdm import tqdm

from aniembed import files
from aniembed.files import RunError, label
from aniembed.inputs.pickles import read_dataframe

USERS_PER_BLOCK = 4096  # large enough for a fast matrix product, small beside the table
PICKLE_START = b'\x80'  # of every protocol from 2 on; no UTF-8 text begins with it


def is_long_table(path):
    """Tell whether a file, packed or not, is a long table: no pickle, by its first byte or by its name."""
    try:
        with open(path, 'rb') as stored:
            start = files.unpacked(stored).read(1)
    except files.PACKING_ERRORS:
        start = b''  # the reader says what is wrong
    return start != PICKLE_START and '.pkl' not in os.path.basename(path).lower()


def _long_table():
    """Return the module that reads long tables; only a run that has one waits for the import of polars."""
    from aniembed.inputs import long_table

    return long_table


def find_files(pattern, name='ANIME_DATA_LIST', advice='lists_download.ipynb makes one'):
    """Return the files that a path or a pattern ('lists-*.pkl') names, sorted.

    RunError with this advice if there is none, and if they are of two kinds.
    """
    paths = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern))
    if not paths:
        raise RunError(f'{label(pattern, name)}: there is no such file; {advice}.')
    of_kind = {is_long_table(path): path for path in paths}
    if len(of_kind) > 1:
        raise RunError(
            f'{label(pattern, name)} names files of two kinds: {of_kind[False]} is a pickle and '
            f'{of_kind[True]} is none; take one kind at a time.'
        )
    return paths


def read_blocks(paths, ids, rank=0, workers=1):
    """Yield the lists of some files as csr_matrix user_items whose columns are the titles `ids`.

    The worker `rank` of several reads every workers-th file, or every workers-th block where there are fewer
    files than workers. RunError names the score that is wrong.
    """
    if is_long_table(paths[0]):
        blocks, user_items = _long_table().read_blocks(paths, ids, USERS_PER_BLOCK)
        yield from map(user_items, _progress(blocks[rank::workers], paths[0]))
        return
    share_files = len(paths) >= workers
    for path in paths[rank::workers] if share_files else paths:
        frame, columns = _read_table(path, ids)
        share = slice(None) if share_files else slice(rank, None, workers)
        zeros = empty = 0
        for start in _progress(range(0, len(frame), USERS_PER_BLOCK)[share], path):
            scores = _scores(frame.iloc[start : start + USERS_PER_BLOCK], columns, path)
            zeros, empty = zeros + int((scores == 0).sum()), empty + int(np.isnan(scores).sum())
            yield csr_matrix(np.where(scores > 0, scores, np.float32(0)))
        if not empty and zeros > frame.shape[0] * len(ids) / 2:
            print(
                f'{path} has no empty cell, and 0 says that a title is on the list without a score; leave '
                'cells of titles that are not on the list empty (no fillna(0)).'
            )
        del frame  # before the next file is read, so that memory holds one


def left_out(number, total, highest, least, limit):
    """Return which lists say too little about taste, by the reason: (few, high, alike), arrays of bool.

    number, total, highest: n each, of the lists' scores. few: fewer scores than `least`; high: else a mean
    above `limit`; alike: else one and the same score for everything.
    """
    few = number < least
    high = ~few & (total / np.maximum(number, 1) > limit)
    alike = ~few & ~high & (total == highest * number)
    return few, high, alike


def read_user(paths, ids, username):
    """Return one user's list as a dict MAL id -> score, 0 where there is none; None if no file has the user.

    Names that differ only in case are the same user.
    """
    if is_long_table(paths[0]):
        return _long_table().read_user(paths, ids, username)
    for path in paths:
        frame, columns = _read_table(path, ids)
        rows = np.flatnonzero(frame.index.astype(str).str.lower() == username.lower())
        if len(rows):
            scores = _scores(frame.iloc[rows[:1]], columns, path)[0]
            return {mal_id: float(score) for mal_id, score in zip(ids, scores) if score >= 0}
    return None


def most_scored(paths, known, number):
    """Return the `number` titles with the most scores among the ids `known`, most first."""
    known = set(known)
    if is_long_table(paths[0]):
        counts = _long_table().count_scores(paths, USERS_PER_BLOCK)
    else:
        counts = {}
        for path in paths:
            frame = read_dataframe(path, 'ANIME_DATA_LIST')
            for mal_id, index in _positions(frame, path).items():
                scored = (pd.to_numeric(frame.iloc[:, index], errors='coerce') > 0).sum()
                counts[mal_id] = counts.get(mal_id, 0) + int(scored)
    best = sorted(known.intersection(counts), key=lambda mal_id: (-counts[mal_id], mal_id))
    return best[:number]


def _progress(starts, path):
    bar = {
        'unit': 'list',
        'unit_scale': USERS_PER_BLOCK,
        'disable': None,
        'dynamic_ncols': True,
        'leave': False,
    }
    return tqdm(starts, desc=f'lists of {os.path.basename(path)}', **bar)


def _read_table(path, ids):
    """Return the DataFrame at `path`, and the positions of the titles among its columns."""
    frame = read_dataframe(path, 'ANIME_DATA_LIST')
    position = _positions(frame, path)
    missing = [str(mal_id) for mal_id in ids if mal_id not in position]
    if missing:
        swapped = set(map(str, frame.index[:1000])) & set(map(str, ids)) and len(missing) == len(ids)
        advice = (
            'the ids are its rows: write frame.T instead'
            if swapped
            else 'remove these ids from ANIME_LIST, or set ANIME_LIST= (empty) and TOP'
        )
        raise RunError(
            f'{path} has no column for {len(missing)} of the {len(ids)} titles '
            f'({", ".join(missing[:10])}); {advice}.'
        )
    return frame, np.array([position[mal_id] for mal_id in ids])


def _positions(frame, path):
    """Return the position of each MAL id among the columns."""
    position = {}
    for index, column in enumerate(frame.columns.tolist()):
        mal_id = int(column) if isinstance(column, str) and re.fullmatch('[0-9]{1,18}', column) else column
        if isinstance(mal_id, (int, float)) and position.setdefault(mal_id, index) != index:
            raise RunError(f'{path} has two columns for the title {mal_id}.')
    return position


def _scores(rows, columns, path):
    """Return some rows as a float32 array users x titles, NaN where a title is not on the list."""
    if not np.array_equal(columns, np.arange(rows.shape[1])):
        rows = rows.iloc[:, columns]
    if not all(pd.api.types.is_numeric_dtype(dtype) and dtype.kind != 'b' for dtype in rows.dtypes.unique()):
        values = rows.to_numpy(object)
        wrong = np.array([[not _is_score(value) for value in row] for row in values])
        if not wrong.any():
            return np.where(pd.isna(values), np.nan, values).astype(np.float32)
    else:
        # A number too large for float32 becomes infinite, and is found below
        with np.errstate(over='ignore'):
            scores = rows.to_numpy(np.float32, na_value=np.nan)
        wrong = (scores < 0) | (scores > 10)
        if not wrong.any():
            return scores
    row, column = np.argwhere(wrong)[0]
    value = repr(rows.iat[row, column])[:40]
    advice = '; write 0 for a title on the list without a score' if value in ('-1', '-1.0') else ''
    raise RunError(
        f'{path}: scores are numbers from 0 to 10, but {str(rows.index[row])[:40]!r} has {value} for '
        f'the title {rows.columns[column]}{advice}.'
    )


def _is_score(value):
    """Whether an object is a number from 0 to 10 or an empty cell."""
    if value is None or value is pd.NA:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        return False
    return value != value or 0 <= value <= 10  # NaN is the one value unlike itself
