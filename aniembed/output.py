"""Read the vectors that embeddings.py has learnt."""

import os

import numpy as np

from aniembed.files import RunError
from aniembed.inputs.pickles import read_dataframe

ATTRS = {'mean', 'popularity'}  # what recommendations need besides the vectors


def read_vectors(output_dir):
    """Read embeddings.pkl in a folder: a DataFrame n x N_EMBEDDING of floats, index MAL ids, with its attrs.

    RunError if it is not what embeddings.py writes.
    """
    path = os.path.join(output_dir, 'embeddings.pkl')
    vectors = read_dataframe(path)
    numbers = all(dtype.kind == 'f' for dtype in vectors.dtypes) and vectors.shape[1]
    by_id = vectors.index.dtype.kind == 'i' and set(vectors.attrs) >= ATTRS
    if not (numbers and by_id and np.isfinite(vectors.to_numpy()).all()):
        raise RunError(f'{path} is not what embeddings.py writes; run it once more.')
    return vectors
