"""An OUTPUT_DIR as embeddings.py leaves it, of planted groups of titles."""

import json

import numpy as np
import pandas as pd

GROUPS = ['Sports', 'Romance', 'Mecha', 'Horror', 'Music']
AWKWARD = [
    '新世紀エヴァンゲリオン',
    'A cost of $5 and a gain of $6',
    'K-On!',
    'Lucky☆Star',
    'Straße_{x} ^ \\frac & <b>',
    'Yahari Ore no Seishun Love Comedy wa Machigatteiru. Zoku',
    'X' * 90,
    'Gintama°',
    '.hack//Sign',
    '١٢٣',
    '</script><script>alert(1)</script>',
    '\u2028 \ud800 a lone half of a pair',
]
NEAREST = 10  # neighbours a title in neighbours.csv


def planted(n=100, seed=3, n_embedding=50, groups=GROUPS, genres=True):
    """Return vectors around a direction for each group, nodes of the titles, and the group of each."""
    random = np.random.default_rng(seed)
    group = np.arange(n) % len(groups)
    vectors = random.normal(size=(len(groups), n_embedding))[group] + 0.45 * random.normal(
        size=(n, n_embedding)
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nodes = {}
    for row in range(n):
        words = ['Title', str(row), 'of', 'a', 'length'][: 1 + row % 5]
        title = AWKWARD[row] if row < len(AWKWARD) else f'{" ".join(words)} {row}'
        nodes[10 + 3 * row] = {
            'title': title,
            'alternative_titles': {'en': f'English {row}', 'ja': '', 'synonyms': []},
            'popularity': row + 1 if row < n - 1 else None,
            'mean': 8.0,
            'genres': [{'name': 'Drama'}, {'name': groups[group[row]]}] if genres else [],
        }
    return vectors.astype(np.float32), nodes, group


def write_output(folder, vectors, nodes, **settings):
    """Write what similarity_map.py reads for these titles; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = list(nodes)
    frame = pd.DataFrame(vectors, index=pd.Index(ids, name='mal_id'))
    frame.attrs = {
        'mean': dict.fromkeys(ids, 8.0),
        'popularity': dict.fromkeys(ids, 1.0),
        'lists': 900,
    }
    frame.to_pickle(folder / 'embeddings.pkl')
    (folder / 'titles.json').write_text(json.dumps(nodes))
    info = {'ANIME_LIST': '/home/me/private.txt', 'SEED': 7, 'versions': {'numpy': '1'}, **settings}
    (folder / 'settings.json').write_text(json.dumps({**info, 'lists': {'read': 1000, 'kept': 900}}))
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1, kind='stable')[:, : min(NEAREST, len(ids) - 1)]
    own = np.repeat(np.arange(len(ids)), nearest.shape[1])
    table = {'mal_id': np.take(ids, own), 'neighbour_id': np.take(ids, nearest.ravel())}
    pd.DataFrame({**table, 'similarity': similarity[own, nearest.ravel()]}).to_csv(folder / 'neighbours.csv')
    return folder
