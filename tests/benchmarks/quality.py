#!/usr/bin/env python3
"""Measure the recommendations on your own lists: embeddings.py beside what one would take instead.

    python3 tests/benchmarks/quality.py [--people 1000] [NAME=value ...]

Reads ANIME_LIST, ANIME_DATA and ANIME_DATA_LIST (the test data, or what NAME=value names) and splits the
lists into two halves. Every system learns from all scores of one half, then is given four fifths of the
scores of people of the other half, whom it has never seen, and is asked for the rest; then the other way
round. A row is the mean over people, with the standard error of recall.

    recall@10, ndcg@10  hidden titles that the person scored at or above the own mean, among the ten best
    taste               pairwise accuracy (AUC): the chance that of two hidden titles the one that was scored
                        above its mean comes before the one below; a coin has 0.5
    rmse, taste by it   of the predicted scores; accuracy of predicted score minus the title's mean

The peers that see scores are marked; `n x n` ones keep a number for every pair of titles, the others 50 a
title.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import embeddings  # noqa: E402 - needs the path above
import recommend  # noqa: E402
from aniembed import ratings, settings, titles  # noqa: E402

FEWEST_SCORES = 5  # of a person that are given, below which nobody is asked
HIDDEN = 0.2  # share of a person's scores
SCORE_WEIGHT, MOST_WEIGHT = 0.3, 4  # of the peers with scores: e^(0.3 (score - own mean)), at most 4
# Searched on mal-2016 by the authors of AniEmbed, 6 to 18 settings each
EASE_PENALTY, EASE_SCORES_PENALTY, SVD_POWER = 300, 100, 0.6
BIAS_SHRINKAGE, KNN_SHRINKAGE, KNN_NOISE = 5, 100, 1.5


def read_lists(arguments):
    """Return the MAL ids and the scores, a csr_matrix users x titles."""
    arguments = [argument for argument in arguments if argument.partition('=')[0] in embeddings.RULES]
    settings.apply(arguments, (vars(embeddings), embeddings.RULES))
    ids = titles.read_ids(embeddings.ANIME_LIST)
    blocks = list(ratings.read_blocks(ratings.find_files(embeddings.ANIME_DATA_LIST), ids))
    return ids, sparse.vstack(blocks).tocsr().astype(float)


def hide(scores, random):
    """Return two csr_matrix: what is given of each person's scores, and what is hidden."""
    hidden, parts = random.random(scores.nnz) < HIDDEN, []
    for kept in (~hidden, hidden):
        part = scores.copy()
        part.data = np.where(kept, part.data, 0)
        part.eliminate_zeros()
        parts.append(part)
    return parts


def with_data(scores, function):
    """Return a copy of a csr_matrix; function gets its data and each person's mean for each entry."""
    copy = scores.copy()
    mean = np.asarray(scores.sum(1)).ravel() / np.maximum(1, scores.getnnz(1))
    copy.data = function(scores.data, np.repeat(mean, np.diff(scores.indptr)))
    return copy


def binary(scores):
    """Return 1 for every score."""
    return with_data(scores, lambda data, mean: np.ones_like(data))


def weighed(scores):
    """Return 1 for a score at the person's own mean, more for better ones."""
    return with_data(scores, lambda data, mean: np.minimum(MOST_WEIGHT, np.exp(SCORE_WEIGHT * (data - mean))))


def without_diagonal(matrix):
    """Set the diagonal to 0 in place, and return the matrix."""
    np.fill_diagonal(matrix, 0)
    return matrix


def ease(items, penalty):
    """Return the weights of ridge regression of every title on all others (Steck, 2019)."""
    inverse = np.linalg.inv((items.T @ items).toarray() + penalty * np.eye(items.shape[1]))
    return without_diagonal(inverse / -inverse.diagonal())


def residuals(scores, mean):
    """Return the scores without the titles' means and the people's own bias, and that bias."""
    rest = scores.copy()
    rest.data -= mean[rest.indices]
    bias = np.asarray(rest.sum(1)).ravel() / (rest.getnnz(1) + BIAS_SHRINKAGE)
    rest.data -= np.repeat(bias, np.diff(rest.indptr))
    return rest, bias


def peers(train, given):
    """Yield a name, ranks, and predicted scores, each people x titles or None."""
    seen, liked = binary(given), weighed(given)
    yield 'most popular', np.tile(binary(train).sum(0).A1, (given.shape[0], 1)), None
    products = (train.T @ train).toarray()
    length = np.sqrt(products.diagonal()) + 1e-9
    yield 'item cosine, scores, n x n', given @ without_diagonal(products / length / length[:, None]), None
    yield 'EASE, n x n', seen @ ease(binary(train), EASE_PENALTY), None
    yield 'EASE, scores, n x n', liked @ ease(weighed(train), EASE_SCORES_PENALTY), None
    items = weighed(train)
    scale = sparse.diags((np.sqrt(items.multiply(items).sum(0).A1) + 1e-9) ** -SVD_POWER)
    svd = TruncatedSVD(min(50, train.shape[1] - 1), random_state=0).fit(items @ scale).components_.T
    yield 'SVD, scores', (liked @ svd) @ svd.T, None
    mean = train.sum(0).A1 / np.maximum(1, train.getnnz(0))
    (rest, _), (rest_given, bias) = residuals(train, mean), residuals(given, mean)
    yield 'means alone', None, mean + bias[:, None]
    both, products = (binary(train).T @ binary(train)).toarray(), (rest.T @ rest).toarray()
    length = np.sqrt(products.diagonal()) + 1e-9
    pearson = np.maximum(products / length / length[:, None] * both / (both + KNN_SHRINKAGE), 0)
    near = (rest_given @ without_diagonal(pearson)) / (seen @ pearson + KNN_NOISE)
    yield 'Pearson kNN, scores, n x n', None, mean + bias[:, None] + near


def aniembed(folder, arguments, ids, train, given):
    """Run embeddings.py on the lists `train`; return its ranks and predicted scores of the people `given`."""
    table = train.toarray()
    table[table == 0] = np.nan
    names = [f'person{k}' for k in range(len(table))]
    pd.DataFrame(table, names, ids).to_pickle(folder / 'dataframe.pkl')
    command = [sys.executable, 'embeddings.py', *arguments, f'ANIME_DATA_LIST={folder}/dataframe.pkl']
    command += [f'OUTPUT_DIR={folder}/output', 'COVERS_DIR=']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    vectors = recommend.read_vectors(f'{folder}/output')
    ranks, predicted = np.full(given.shape, -np.inf), np.empty(given.shape)
    for own, scores_of_own, row in zip(ranks, predicted, given):
        scores = dict(zip(np.take(ids, row.indices).tolist(), row.data.tolist()))
        best = recommend.recommend(vectors, scores, number=None)
        own[vectors.index.get_indexer(best.index)] = best
        scores_of_own[:] = recommend.predict_scores(vectors, scores)
    return ranks, predicted


def accuracy(values, above, below):
    """Return the chance that one of `above` has the larger value than one of `below`; ties count half."""
    high, low = values[above][:, None], values[below]
    return (high > low).mean() + 0.5 * (high == low).mean()


def measure(ranks, predicted, given, hidden, mean, number=10):
    """Return what each measure is for each person, as a dict of lists."""
    discount = 1 / np.log2(np.arange(2, number + 2))
    found = {name: [] for name in ('recall@10', 'ndcg@10', 'taste', 'rmse', 'taste by it')}
    for person in range(given.shape[0]):
        known, row = given[person], hidden[person]
        above, below = (
            row.indices[side] for side in (row.data > mean[row.indices], row.data < mean[row.indices])
        )
        if predicted is not None:
            guess = predicted[person]
            found['rmse'].append(np.mean((np.clip(guess[row.indices], 1, 10) - row.data) ** 2))
            if len(above) > 1 and len(below) > 1:
                found['taste by it'].append(accuracy(guess - mean, above, below))
        liked = row.indices[row.data >= known.data.mean()]
        if ranks is None or not len(liked):
            continue
        if len(above) > 1 and len(below) > 1:
            found['taste'].append(accuracy(ranks[person], above, below))
        rank = ranks[person].copy()
        rank[known.indices] = -np.inf
        hit = np.isin(np.argsort(-rank, kind='stable')[:number], liked)
        found['recall@10'].append(hit.sum() / min(number, len(liked)))
        found['ndcg@10'].append((hit * discount[: len(hit)]).sum() / discount[: len(liked)].sum())
    return found


def show(name, found):
    """Print the row of one system."""
    text = f'{name:28}'
    for measure_name, values in found.items():
        mean = np.mean(values) if values else np.nan
        value = f'{mean**0.5 if measure_name == "rmse" else mean:.3f}' if values else '-'
        if measure_name == 'recall@10' and values:
            value += f' ± {np.std(values) / len(values) ** 0.5:.3f}'
        text += f'{value:>16}'
    print(text, flush=True)


def main():
    """Print a row for each system."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--people', type=int, default=1000, help='asked in each half (%(default)s)')
    parser.add_argument('globals', nargs='*', help='NAME=value of embeddings.py')
    options = parser.parse_args()
    ids, scores = read_lists(options.globals)
    random = np.random.default_rng(7)
    half = random.permutation(scores.shape[0]) % 2
    print(f'{scores.shape[0]:,} people, {len(ids):,} titles, {scores.nnz:,} scores; two halves')
    rows = {}
    for side in (0, 1):
        train, (given, hidden) = scores[half == side], hide(scores[half != side], random)
        asked = np.flatnonzero((given.getnnz(1) >= FEWEST_SCORES) & (hidden.getnnz(1) > 0))
        asked = np.sort(random.permutation(asked)[: options.people])
        given, hidden = given[asked], hidden[asked]
        mean = train.sum(0).A1 / np.maximum(1, train.getnnz(0))
        with tempfile.TemporaryDirectory() as folder:
            own = aniembed(Path(folder), options.globals, ids, train, given)
        for name, ranks, predicted in (('AniEmbed, scores', *own), *peers(train, given)):
            for key, values in measure(ranks, predicted, given, hidden, mean).items():
                rows.setdefault(name, {}).setdefault(key, []).extend(values)
    print(f'{"":28}' + ''.join(f'{key:>16}' for key in rows['AniEmbed, scores']))
    for name, found in rows.items():
        show(name, found)


if __name__ == '__main__':
    main()
