"""Read ANIME_DATA_LIST, the members' lists, as blocks of a sparse matrix: `user_items`, users x titles.

user_items is a scipy.sparse.csr_matrix of float32 with the scores 1-10 as its explicit values.
"""

import glob
import os
import re
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from tqdm import tqdm

from aniembed.files import RunError, label
from aniembed.safe_pickle import read_dataframe

USERS_PER_BLOCK = 2048  # large enough for a fast matrix product, small beside the table


class Block(NamedTuple):
    """Some users' lists: their names, and their scores as a csr_matrix users x titles."""

    usernames: list
    user_items: csr_matrix


def find_files(pattern, name='ANIME_DATA_LIST'):
    """Return the files that a path or a pattern ('lists-*.pkl') names, sorted; RunError if there is none."""
    paths = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern))
    if not paths:
        raise RunError(f'{label(pattern, name)}: there is no such file; lists_download.ipynb makes one.')
    return paths


def read_blocks(path, ids, rank=0, workers=1):
    """Yield the lists in one file as Blocks whose columns are the titles `ids`.

    Of several workers each reads every workers-th block, from the block `rank` on. RunError names the score
    that is wrong.
    """
    frame, columns = _read_table(path, ids)
    starts = range(rank * USERS_PER_BLOCK, len(frame), workers * USERS_PER_BLOCK)
    bar = {
        'unit': 'list',
        'unit_scale': USERS_PER_BLOCK,
        'disable': None,
        'dynamic_ncols': True,
        'leave': False,
    }
    for start in tqdm(starts, desc=f'lists of {os.path.basename(path)}', **bar):
        rows = frame.iloc[start : start + USERS_PER_BLOCK]
        scores = _scores(rows, columns, path)
        yield Block(rows.index.tolist(), csr_matrix(np.where(scores > 0, scores, np.float32(0))))


def read_user(paths, ids, username):
    """Return one user's list as a dict MAL id -> score, 0 where there is none; None if no file has the user.

    Names that differ only in case are the same user.
    """
    for path in paths:
        frame, columns = _read_table(path, ids)
        rows = np.flatnonzero(frame.index.astype(str).str.lower() == username.lower())
        if len(rows):
            scores = _scores(frame.iloc[rows[:1]], columns, path)[0]
            return {mal_id: float(score) for mal_id, score in zip(ids, scores) if score >= 0}
    return None


def _read_table(path, ids):
    """Return the DataFrame at `path`, and the positions of the titles among its columns."""
    frame = read_dataframe(path, 'ANIME_DATA_LIST')
    position = {}
    for index, column in enumerate(frame.columns.tolist()):
        mal_id = int(column) if isinstance(column, str) and re.fullmatch('[0-9]{1,18}', column) else column
        if isinstance(mal_id, (int, float)) and position.setdefault(mal_id, index) != index:
            raise RunError(f'{path} has two columns for the title {mal_id}.')
    missing = [str(mal_id) for mal_id in ids if mal_id not in position]
    if missing:
        raise RunError(
            f'{path} has no column for {len(missing)} ids of ANIME_LIST: {", ".join(missing[:10])}.'
        )
    return frame, np.array([position[mal_id] for mal_id in ids])


def _scores(rows, columns, path):
    """Return some rows as a float32 array users x titles, NaN where a title is not on the list."""
    if not np.array_equal(columns, np.arange(rows.shape[1])):
        rows = rows.iloc[:, columns]
    if not all(pd.api.types.is_numeric_dtype(dtype) and dtype.kind != 'b' for dtype in rows.dtypes.unique()):
        wrong = np.array([[not _is_score(value) for value in row] for row in rows.to_numpy(object)])
        if not wrong.any():
            return rows.astype(object).to_numpy(np.float32, na_value=np.nan)
    else:
        with np.errstate(
            over='ignore'
        ):  # a number too large for float32 becomes infinite, and is found below
            scores = rows.to_numpy(np.float32, na_value=np.nan)
        wrong = (scores < 0) | (scores > 10)
        if not wrong.any():
            return scores
    row, column = np.argwhere(wrong)[0]
    value = repr(rows.iat[row, column])[:40]
    raise RunError(
        f'{path}: scores are numbers from 0 to 10, but {str(rows.index[row])[:40]!r} has {value} for '
        f'the title {rows.columns[column]}.'
    )


def _is_score(value):
    """Whether an object is a number from 0 to 10 or an empty cell."""
    if value is None or value is pd.NA:
        return True
    return (
        isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and not abs(value - 5) > 5
    )
