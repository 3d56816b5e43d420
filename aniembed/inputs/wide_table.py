"""Read lists in the pickle of a table, users x MAL ids: 1-10 a score, 0 none, empty not on the list."""

import os
import re

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from tqdm import tqdm

from aniembed.files import RunError
from aniembed.inputs import columns, scales
from aniembed.inputs.pickles import read_dataframe

NUMBERS = int, float, np.number
LARGEST = 10**9  # of a number in a cell; float32 has no room for the largest ones of Python
USERS_PER_BLOCK = 4096  # large enough for a fast matrix product, small beside the table


def read_lists(paths):
    """Return the lists of some pickles; each is read when it is needed, so that memory holds one."""
    return WideTable(paths)


class WideTable:
    """The lists of some pickles."""

    def __init__(self, paths):
        self.paths, self._reported = paths, set()

    def most_scored(self, known, number):
        """Return the `number` titles with the most scores among the ids `known`, most first."""
        counts = {}
        for path in self.paths:
            frame, position = _read_frame(path)
            selection, scored = np.array([*position.values()], int), np.zeros(len(position), int)
            for start in range(0, len(frame), USERS_PER_BLOCK):
                scored += (_numbers(frame.iloc[start : start + USERS_PER_BLOCK], selection)[0] > 0).sum(0)
            for mal_id, count in zip(position, scored.tolist()):
                counts[mal_id] = counts.get(mal_id, 0) + count
        best = sorted(set(known).intersection(counts), key=lambda mal_id: (-counts[mal_id], mal_id))
        return best[:number]

    def blocks(self, ids, rank=0, workers=1):
        """Yield the lists as csr_matrix user_items whose columns are the titles `ids`.

        The worker `rank` of several reads every workers-th file, or every workers-th block where there are
        fewer files than workers. RunError names the score that is wrong.
        """
        share_files = len(self.paths) >= workers
        for path in self.paths[rank::workers] if share_files else self.paths:
            frame, selection = _read_table(path, ids)
            scale = _scale_of(frame, selection, path)
            if scale.name and path not in self._reported:
                print(f'{path}: scores {scale.name}')
                self._reported.add(path)
            share = slice(None) if share_files else slice(rank, None, workers)
            zeros = empty = 0
            for start in _progress(range(0, len(frame), USERS_PER_BLOCK)[share], path):
                scores = _scores(frame.iloc[start : start + USERS_PER_BLOCK], selection, path, scale)
                zeros, empty = zeros + int((scores == 0).sum()), empty + int(np.isnan(scores).sum())
                yield csr_matrix(np.where(scores > 0, scores, np.float32(0)))
            if not empty and zeros > frame.shape[0] * len(ids) / 2:
                print(
                    f'{path} has no empty cell, and 0 says that a title is on the list without a score; '
                    'leave cells of titles that are not on the list empty (no fillna(0)).'
                )
            del frame  # before the next file is read, so that memory holds one


def read_user(paths, ids, username):
    """Return one user's list as a dict MAL id -> score, 0 where there is none; None if no file has them."""
    for path in paths:
        frame, selection = _read_table(path, ids)
        rows = np.flatnonzero(frame.index.astype(str).str.lower() == username.lower())
        if len(rows):
            scores = _scores(frame.iloc[rows[:1]], selection, path, _scale_of(frame, selection, path))[0]
            return {mal_id: float(score) for mal_id, score in zip(ids, scores) if score >= 0}
    return None


def _progress(starts, path):
    name = f'lists of {os.path.basename(path)}'
    options = {'unit': 'list', 'unit_scale': USERS_PER_BLOCK, 'leave': False}
    return tqdm(starts, name, disable=None, dynamic_ncols=True, **options)


def _read_frame(path):
    """Return the DataFrame at `path`, and the position of each MAL id among its columns."""
    frame = read_dataframe(path, 'ANIME_DATA_LIST')
    if all(columns.find_columns(frame.columns, columns.RATINGS).values()):
        raise RunError(
            f'{path} has one row a rating; save it as CSV instead: frame.to_csv("ratings.csv", index=False).'
        )
    position = {}
    for index, column in enumerate(frame.columns.tolist()):
        mal_id = int(column) if isinstance(column, str) and re.fullmatch('[0-9]{1,18}', column) else column
        if isinstance(mal_id, (int, float)) and position.setdefault(mal_id, index) != index:
            raise RunError(f'{path} has two columns for the title {mal_id}.')
    return frame, position


def _read_table(path, ids):
    """Return the DataFrame at `path`, and the positions of the titles among its columns."""
    frame, position = _read_frame(path)
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


def _scale_of(frame, selection, path):
    """Return the Scale of a table from its first block; what lies above it in another block is wrong."""
    return scales.find_scale([_numbers(frame.iloc[:USERS_PER_BLOCK], selection)[0]], path)


def _scores(rows, selection, path, scale):
    """Return some rows as a float32 array users x titles of 1-10; 0 without a score, NaN not on the list."""
    scores, wrong = _numbers(rows, selection)
    wrong |= (scores > scale.highest) | ((scores < 0) & (scores != -1))
    if not wrong.any():
        return scales.to_ten(np.maximum(scores, 0), scale)
    row, column = np.argwhere(wrong)[0]
    cell = rows.iat[row, selection[column]]
    if isinstance(cell, str):
        cell = repr(cell[:40])
    elif not _is_number(cell):
        cell = f'a value of type {type(cell).__name__}'
    raise RunError(
        f'{path}: scores are numbers from 0 to {scale.highest}, but {str(rows.index[row])[:40]!r} has {cell} '
        f'for the title {rows.columns[selection[column]]}.'
    )


def _numbers(rows, selection):
    """Return some rows as a float32 array users x titles, NaN where empty, and which are no numbers."""
    if not np.array_equal(selection, np.arange(rows.shape[1])):
        rows = rows.iloc[:, selection]
    if all(pd.api.types.is_numeric_dtype(dtype) and dtype.kind != 'b' for dtype in rows.dtypes.unique()):
        # A number too large for float32 becomes infinite
        with np.errstate(over='ignore'):
            numbers = rows.to_numpy(np.float32, na_value=np.nan)
        return numbers, np.zeros(numbers.shape, bool)
    cells = rows.to_numpy(object)
    wrong = np.array([[not _is_number(cell) for cell in row] for row in cells]).reshape(cells.shape)
    return np.where(wrong | pd.isna(cells), np.nan, cells).astype(np.float32), wrong


def _is_number(cell):
    if isinstance(cell, NUMBERS) and not isinstance(cell, bool):
        return not abs(cell) > LARGEST  # so that NaN is a number
    return cell is None or cell is pd.NA
