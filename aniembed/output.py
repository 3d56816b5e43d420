"""Read and write OUTPUT_DIR: what embeddings.py learns, for the map and for recommendations."""

import os
import pickle

import numpy as np
import pandas as pd

from aniembed import files
from aniembed.files import RunError
from aniembed.inputs import titles
from aniembed.inputs.pickles import read_dataframe

NAMES = 'embeddings.pkl', 'titles.json', 'neighbours.csv', 'settings.json'


def write_output(output_dir, vectors, nodes, neighbours, record):
    """Write the files NAMES, each whole or not at all.

    vectors: DataFrame n x N_EMBEDDING, index MAL ids, with `mean`, `popularity` and `lists` in its attrs;
    nodes: dict MAL id -> node of the API; neighbours: DataFrame, one row a neighbour; record: dict.
    """
    vectors_path, titles_path, neighbours_path, settings_path = (
        os.path.join(output_dir, name) for name in NAMES
    )
    with files.whole_files(vectors_path) as (file,):
        pickle.dump(vectors, file, protocol=4)
    files.write_json(titles_path, nodes)
    files.write_csv(neighbours_path, neighbours)
    files.write_json(settings_path, record)


def read_vectors(output_dir):
    """Read embeddings.pkl: a DataFrame n x N_EMBEDDING of floats, index MAL ids, with its attrs.

    RunError if it is not what embeddings.py writes.
    """
    path = os.path.join(output_dir, 'embeddings.pkl')
    vectors = read_dataframe(path)
    numbers = all(dtype.kind == 'f' for dtype in vectors.dtypes) and vectors.shape[1]
    by_id = vectors.index.dtype.kind == 'i' and vectors.attrs.keys() >= {'mean', 'popularity', 'lists'}
    if not (numbers and by_id and np.isfinite(vectors.to_numpy()).all()):
        raise RunError(f'{path} is not what embeddings.py writes; run embeddings.py again.')
    return vectors


def read_titles(output_dir, ids):
    """Read titles.json as the title_table of the titles `ids`; RunError if one is missing."""
    return titles.read_titles(os.path.join(output_dir, 'titles.json'), ids)


def read_neighbours(output_dir, ids):
    """Read neighbours.csv as a dict MAL id -> list of [MAL id, similarity], nearest first.

    RunError if the file is damaged or is not of the titles `ids`.
    """
    path = os.path.join(output_dir, 'neighbours.csv')
    neighbours = {mal_id: [] for mal_id in ids}
    try:
        table = pd.read_csv(path)[['mal_id', 'neighbour_id', 'similarity']]
        for mal_id, neighbour, similarity in zip(*(table[name].tolist() for name in table)):
            neighbours[mal_id].append([neighbour, round(float(similarity), 4)])
        complete = all(neighbours.values()) and set(table['neighbour_id']) <= neighbours.keys()
    except OSError as error:
        raise RunError(f'{path} cannot be read: {error.strerror}.') from None
    except (ValueError, KeyError, TypeError):
        complete = False
    if not complete:
        raise RunError(f'{path} does not fit the titles of embeddings.pkl; run embeddings.py again.')
    return neighbours


def read_settings(output_dir):
    """Read settings.json as a dict: the globals of embeddings.py, versions, loss and lists."""
    path = os.path.join(output_dir, 'settings.json')
    record = files.read_json(path)
    if not isinstance(record, dict) or not isinstance(record.get('SEED'), int):
        raise RunError(f'{path} is not what embeddings.py writes; run embeddings.py again.')
    return record
