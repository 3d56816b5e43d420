"""Inputs with a known structure: people who love one group of titles each."""

import json

import numpy as np
import pandas as pd

GROUPS, SIZE = 6, 8


def planted_scores(lists=1200, seed=1):
    """Return scores users x titles and each title's group: NaN not on the list, 0 on it without a score.

    Everybody scores one group 8 to 10, and the others 2 to 7.
    """
    random = np.random.default_rng(seed)
    n = GROUPS * SIZE
    group = np.arange(n) % GROUPS  # neighbouring columns belong to different groups
    loved = group == random.integers(0, GROUPS, lists)[:, None]
    scores = np.where(loved, random.integers(8, 11, (lists, n)), random.integers(2, 8, (lists, n)))
    scores = scores.astype(float)
    scores[random.random((lists, n)) > np.where(loved, 0.9, 0.4)] = np.nan
    scores[random.random((lists, n)) < 0.05] = 0
    return scores, group


def ids_of(n):
    """Return n MAL ids: 1000, 1007, 1014 ..."""
    return [1000 + 7 * index for index in range(n)]


def table_of(scores):
    """Return scores users x titles as the DataFrame of dataframe.pkl."""
    names = [f'member{k}' for k in range(len(scores))]
    return pd.DataFrame(scores, index=names, columns=ids_of(scores.shape[1]))


def nodes_of(n):
    """Return what the API says of n titles: dict MAL id as text -> node."""
    return {
        str(mal_id): {
            'id': mal_id,
            'title': f'Title {mal_id}',
            'mean': 6.5,
            'popularity': index + 1,
            'genres': [{'id': 1, 'name': f'Genre {index % GROUPS}'}],
        }
        for index, mal_id in enumerate(ids_of(n))
    }


def write_inputs(folder, scores):
    """Write animelist.txt, animes.json and dataframe.pkl; return the NAME=value arguments that name them."""
    n = scores.shape[1]
    (folder / 'animelist.txt').write_text(''.join(f'{mal_id}\n' for mal_id in ids_of(n)))
    (folder / 'animes.json').write_text(json.dumps(nodes_of(n)))
    table_of(scores).to_pickle(folder / 'dataframe.pkl')
    return arguments_for(folder)


def arguments_for(folder, output='output'):
    """Return the arguments of embeddings.py for the inputs in a folder."""
    return [
        f'ANIME_LIST={folder}/animelist.txt',
        f'ANIME_DATA={folder}/animes.json',
        f'ANIME_DATA_LIST={folder}/dataframe.pkl',
        f'OUTPUT_DIR={folder / output}',
        'COVERS_DIR=',
    ]
