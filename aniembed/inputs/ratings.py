"""Read ANIME_DATA_LIST, the members' lists, as blocks of a sparse matrix: `user_items`, users x titles.

user_items is a scipy.sparse.csr_matrix of float32 with the scores 1-10 as its explicit values. The files are
either pickles of a table, users x MAL ids, as lists_download.ipynb writes them (wide_table.py), or long
tables, one row a rating (long_table.py). Both readers have the same methods.
"""

import glob
import os

import numpy as np

from aniembed import files
from aniembed.files import RunError, label

PICKLE_START = b'\x80'  # of every protocol from 2 on; no UTF-8 text begins with it


def find_files(pattern, name='ANIME_DATA_LIST', advice='lists_download.ipynb makes one'):
    """Return the files that a path or a pattern ('lists-*.pkl') names, sorted.

    RunError with this advice if there is none, and if they are of two kinds.
    """
    paths = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern))
    if not paths:
        raise RunError(f'{label(pattern, name)}: there is no such file; {advice}.')
    of_kind = {_is_pickle(path): path for path in paths}
    if len(of_kind) > 1:
        raise RunError(
            f'{label(pattern, name)} names files of two kinds: {of_kind[True]} is a pickle and '
            f'{of_kind[False]} is none; take one kind at a time.'
        )
    return paths


def read_lists(paths):
    """Return the lists in some files of one kind, as a WideTable or a LongTable; RunError if that fails."""
    return _reader(paths).read_lists(paths)


def read_user(paths, ids, username):
    """Return one user's list as a dict MAL id -> score, 0 where there is none; None if no file has the user.

    Names that differ only in case are the same user.
    """
    return _reader(paths).read_user(paths, ids, username)


def _reader(paths):
    # Only a run that has a long table waits for the import of polars
    if _is_pickle(paths[0]):
        from aniembed.inputs import wide_table as reader
    else:
        from aniembed.inputs import long_table as reader
    return reader


def _is_pickle(path):
    """Tell whether a file, packed or not, is a pickle, by its first byte or by its name."""
    try:
        with open(path, 'rb') as stored:
            packed_text = stored.read(4) == files.ZSTD_START
            stored.seek(0)
            start = b'' if packed_text else files.unpacked(stored).read(1)
    except files.PACKING_ERRORS:
        start = b''  # the reader says what is wrong
    return start == PICKLE_START or '.pkl' in os.path.basename(path).lower()


def left_out(number, total, highest, least, limit):
    """Return which lists say too little about taste, by the reason: (few, high, alike), arrays of bool.

    number, total, highest: n each, of the lists' scores. few: fewer scores than `least`; high: else a mean
    above `limit`; alike: else one and the same score for everything.
    """
    few = number < least
    high = ~few & (total / np.maximum(number, 1) > limit)
    alike = ~few & ~high & (total == highest * number)
    return few, high, alike
