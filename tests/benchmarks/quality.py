#!/usr/bin/env python3
"""Measure recommendations and predicted scores on your own lists, beside methods that see scores, too.

    python3 tests/benchmarks/quality.py ANIME_LIST= TOP=1000 ANIME_DATA=anime.csv ANIME_DATA_LIST=ratings.csv

People are split into two halves. Every method learns from the lists of one half; of the other half's people
it is given four fifths of the scores and asked for the rest; then the halves change places. A row is the mean
over all people that were asked, with its standard error.

recall@10, ndcg@10  hidden titles that the person scored at or above the own mean, among the ten best
taste               pairwise accuracy (AUC): of two hidden titles, the chance that the one scored above its
                    mean comes before the one scored below its mean
rmse                of the predicted scores of the hidden titles
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, vstack

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import recommend  # noqa: E402
from aniembed.inputs import ratings, titles  # noqa: E402

HIDDEN_SHARE, LEAST_SEEN = 0.2, 5
EASE_WEIGHT, EASE_PENALTY = 0.3, 100  # as searched on mal-2016
KNN_SHRINKAGE = 100  # scores in common at which a correlation counts half


def read_lists(given):
    """Return the titles' ids and all lists as a csr_matrix of float64."""
    lists = ratings.read_lists(ratings.find_files(given['ANIME_DATA_LIST']))
    nodes = titles.read_nodes(given['ANIME_DATA'])
    listed = given.get('ANIME_LIST')
    ids = titles.read_ids(listed) if listed else lists.most_scored(nodes, int(given.get('TOP', 100)))
    return ids, vstack(list(lists.blocks(ids))).astype(np.float64).tocsr()


def hide(scores, random):
    """Return the scores in two matrices: those that are seen, and those that are hidden."""
    parts, hidden = [], random.random(scores.nnz) < HIDDEN_SHARE
    for keep in (~hidden, hidden):
        part = scores.copy()
        part.data = np.where(keep, part.data, 0)
        part.eliminate_zeros()
        parts.append(part)
    return parts


def aniembed(ids, train, given, folder):
    """Train embeddings.py on some lists; return functions person -> affinities and -> predicted scores."""
    table = pd.DataFrame(
        np.where(train.toarray() > 0, train.toarray(), np.nan), columns=ids, dtype=np.float32
    )
    table.to_pickle(folder / 'lists.pkl')
    (folder / 'ids.txt').write_text(''.join(f'{mal_id}\n' for mal_id in ids))
    own = [f'{name}={value}' for name, value in given.items() if name not in ('TOP',)]
    paths = [f'ANIME_LIST={folder}/ids.txt', f'ANIME_DATA_LIST={folder}/lists.pkl', f'OUTPUT_DIR={folder}']
    command = [sys.executable, 'embeddings.py', *own, *paths, 'COVERS_DIR=']
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    vectors = pd.read_pickle(folder / 'embeddings.pkl')

    def ask(function, indices, scores):
        answer = function(vectors, {ids[i]: score for i, score in zip(indices, scores)})
        return answer.reindex(ids, fill_value=-np.inf).to_numpy()

    everything = lambda vectors, scores: recommend.recommend(vectors, scores, None)  # noqa: E731
    return (lambda *list: ask(everything, *list)), (lambda *list: ask(recommend.predict_scores, *list))


def peers(train):
    """Return name -> (rank, predict), functions of a person's indices and scores, or None."""
    n, counts = train.shape[1], train.getnnz(0)
    binary = csr_matrix((np.ones(train.nnz), train.indices, train.indptr), train.shape)
    products = (train.T @ train).toarray()
    length = np.sqrt(products.diagonal()) + 1e-9
    cosine = products / length[:, None] / length
    np.fill_diagonal(cosine, 0)
    own_means = np.asarray(train.sum(1)).ravel() / np.maximum(1, train.getnnz(1))
    weighed = train.copy()
    weighed.data = liking(weighed.data, np.repeat(own_means, np.diff(train.indptr)))
    inverse = np.linalg.inv((weighed.T @ weighed).toarray() + EASE_PENALTY * np.eye(n))
    ease = inverse / -inverse.diagonal()
    np.fill_diagonal(ease, 0)
    means = np.asarray(train.sum(0)).ravel() / np.maximum(1, counts)
    residuals = train.copy()
    residuals.data -= means[residuals.indices]
    covariance, both = (residuals.T @ residuals).toarray(), (binary.T @ binary).toarray()
    spread = np.sqrt(covariance.diagonal()) + 1e-9
    near = np.maximum(covariance / spread[:, None] / spread * both / (both + KNN_SHRINKAGE), 0)
    np.fill_diagonal(near, 0)

    def knn(indices, scores):
        bias = np.sum(scores - means[indices]) / (len(scores) + 5)
        rest = scores - means[indices] - bias
        return means + bias + near[:, indices] @ rest / (near[:, indices].sum(1) + 1.5)

    return {
        'most popular': (lambda indices, scores: counts.astype(float), None),
        'item cosine (n x n)': (lambda indices, scores: scores @ cosine[indices], None),
        'EASE with scores (n x n)': (
            lambda indices, scores: liking(scores, scores.mean()) @ ease[indices],
            None,
        ),
        'Pearson kNN (n x n)': (None, knn),
    }


def liking(scores, own_mean):
    """Return 1 for a score at the person's own mean, more for better ones, 4 at most."""
    return np.minimum(4, np.exp(EASE_WEIGHT * (scores - own_mean)))


def measure(rank, predict, seen, hidden, means):
    """Return measure -> list of values, one a person."""
    discount, found = 1 / np.log2(np.arange(2, 12)), {'recall@10': [], 'ndcg@10': [], 'taste': [], 'rmse': []}
    for user in range(seen.shape[0]):
        own, rest = (slice(*part.indptr[user : user + 2]) for part in (seen, hidden))
        indices, scores, asked, given = (
            seen.indices[own],
            seen.data[own],
            hidden.indices[rest],
            hidden.data[rest],
        )
        if len(indices) < LEAST_SEEN or not len(asked):
            continue
        if predict:
            found['rmse'].append(np.mean((np.clip(predict(indices, scores)[asked], 1, 10) - given) ** 2))
        if not rank:
            continue
        affinity = np.array(rank(indices, scores), float)
        above, below = affinity[asked[given > means[asked]]], affinity[asked[given < means[asked]]]
        if len(above) > 1 and len(below) > 1:
            found['taste'].append(np.mean((above[:, None] > below) + 0.5 * (above[:, None] == below)))
        liked = asked[given >= scores.mean()]
        if len(liked):
            affinity[indices] = -np.inf
            hits = np.isin(np.argsort(-affinity, kind='stable')[:10], liked)
            found['recall@10'].append(hits.sum() / min(10, len(liked)))
            found['ndcg@10'].append((hits * discount[: len(hits)]).sum() / discount[: len(liked)].sum())
    return found


def main():
    """Measure both directions, and print a row a method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('globals', nargs='*', help='NAME=value, handed on to embeddings.py')
    data = ROOT / 'test-data'
    given = {name: str(data / file) for name, file in (
        ('ANIME_LIST', 'animelist.txt'), ('ANIME_DATA', 'animes.json'),
        ('ANIME_DATA_LIST', 'dataframe.pkl.gz'),
    )}  # fmt: skip
    given |= dict(argument.split('=', 1) for argument in parser.parse_args().globals)
    ids, lists = read_lists(given)
    random, rows = np.random.default_rng(0), {}
    halves = random.permutation(lists.shape[0]) % 2
    for half in (0, 1):
        train, (seen, hidden) = lists[halves == half], hide(lists[halves != half], random)
        means = np.asarray(train.sum(0)).ravel() / np.maximum(1, train.getnnz(0))
        with tempfile.TemporaryDirectory() as folder:
            methods = {'AniEmbed': aniembed(ids, train, given, Path(folder)), **peers(train)}
        for name, (rank, predict) in methods.items():
            for key, values in measure(rank, predict, seen, hidden, means).items():
                rows.setdefault(name, {}).setdefault(key, []).extend(values)
    print(f'{lists.shape[0]:,} lists, {len(ids):,} titles, {lists.nnz:,} scores; two halves')
    for name, row in rows.items():
        cells = [f'{key} {show(key, np.array(values))}' for key, values in row.items() if values]
        print(f'{name:26s}' + '  '.join(cells))


def show(key, values):
    """Return a mean and its standard error as text; of squared errors, their root."""
    mean, error = values.mean(), values.std() / len(values) ** 0.5
    if key == 'rmse':
        mean, error = mean**0.5, error / (2 * mean**0.5)
    return f'{mean:.4f} ± {error:.4f}'


if __name__ == '__main__':
    main()
