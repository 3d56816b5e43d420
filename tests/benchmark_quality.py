#!/usr/bin/env python3
"""What the vectors are worth on your own lists: embeddings.py beside what one would take instead, on hidden scores.

    python3 tests/benchmark_quality.py [--people 2000] [NAME=value ...]

Reads ANIME_LIST, ANIME_DATA and ANIME_DATA_LIST (the test data, or what NAME=value names), hides a fifth of every list's
scores, gives the rest to each system, and asks each for recommendations for --people people drawn from the lists:

    recall@10, ndcg@10   hidden titles that the person scored at or above the own mean, among the ten best
    taste                chance that of two hidden titles the one scored above its mean comes before the one scored below
                         its mean; 0.5 is a coin
    seconds              from the lists to vectors; for AniEmbed the whole process

Systems with n x n numbers are marked; the others have 50 numbers a title. ALS, BPR and item2vec are optional:
pip install implicit gensim.
"""
import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import scipy.sparse

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import embeddings
import pandas as pd


def read_and_hide(arguments):
    """(MAL ids, seen scores, hidden scores), both sparse lists x titles."""
    embeddings.apply_arguments(arguments)
    ids = embeddings.read_anime_list()
    scores = []
    for path in embeddings.list_files():
        frame, places = embeddings.read_lists(path, ids)
        scores += [scipy.sparse.csr_matrix(np.nan_to_num(embeddings.scores_of(frame, places, start, start + 4096)))
                   for start in range(0, len(frame), 4096)]
    scores = scipy.sparse.vstack(scores).tocsr()
    hidden = np.random.default_rng(7).random(scores.nnz) < 0.2
    parts = []
    for keep in (~hidden, hidden):
        part = scores.copy()
        part.data = np.where(keep, part.data, 0)
        part.eliminate_zeros()
        parts.append(part)
    return ids, *parts


def aniembed(folder, arguments, ids, seen):
    """Runs embeddings.py on the seen scores; returns a function (rows of seen) -> affinities of all titles."""
    grid = seen.toarray()
    grid[grid == 0] = np.nan
    pd.DataFrame(grid, index=[f'person{k}' for k in range(len(grid))], columns=ids).to_pickle(folder / 'dataframe.pkl')
    command = [sys.executable, 'embeddings.py', *arguments, f'ANIME_DATA_LIST={folder}/dataframe.pkl',
               f'OUTPUT_DIR={folder}/output', 'COVERS_DIR=']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    vectors = embeddings.read_pickle(f'{folder}/output/embeddings.pkl')

    def affinities(rows):
        answer = np.full(rows.shape, -np.inf)
        for own, row in zip(answer, rows):
            scores = {ids[place]: score for place, score in zip(row.indices, row.data)}
            best = embeddings.recommend(vectors, scores, number=None)
            own[vectors.index.get_indexer(best.index)] = best
        return answer
    return affinities


def peers(seen):
    """Yield (name, a function that fits and returns (row numbers) -> affinities)."""
    binary = seen.copy()
    binary.data[:] = 1
    n = seen.shape[1]

    def popular():
        scorers = np.asarray(binary.sum(0)).ravel()
        return lambda people: np.tile(scorers, (len(people), 1))

    def cosine():
        products = (seen.T @ seen).toarray()
        length = np.sqrt(products.diagonal()) + 1e-9
        products /= length * length[:, None]
        np.fill_diagonal(products, 0)
        return lambda people: seen[people] @ products

    def ease():  # Steck 2019: ridge regression of every title on all others, in closed form
        inverse = np.linalg.inv((binary.T @ binary).toarray() + 300 * np.eye(n))
        weights = inverse / -inverse.diagonal()
        np.fill_diagonal(weights, 0)
        return lambda people: binary[people] @ weights

    def pure_svd():  # Cremonesi, Koren, Turrin 2010
        from sklearn.decomposition import TruncatedSVD
        titles = TruncatedSVD(min(50, n - 1), random_state=0).fit(seen).components_.T
        return lambda people: seen[people] @ titles @ titles.T

    def als():
        from implicit.als import AlternatingLeastSquares
        model = AlternatingLeastSquares(factors=50, iterations=20, alpha=10, regularization=0.05, random_state=0, num_threads=2)
        model.fit(binary, show_progress=False)
        return lambda people: model.user_factors[people] @ model.item_factors.T

    def bpr():
        from implicit.bpr import BayesianPersonalizedRanking
        model = BayesianPersonalizedRanking(factors=50, iterations=100, random_state=0, num_threads=2)
        model.fit(binary, show_progress=False)
        return lambda people: model.user_factors[people] @ model.item_factors.T

    def item2vec():
        from gensim.models import Word2Vec
        random = np.random.default_rng(0)
        sentences = [[str(title) for title in random.permutation(row.indices)] for row in binary]
        model = Word2Vec(sentences, vector_size=50, window=15, sg=1, negative=5, min_count=1, epochs=20, workers=2, seed=1, sample=0)
        titles = np.stack([model.wv[str(title)] if str(title) in model.wv else np.zeros(50) for title in range(n)])
        titles /= np.maximum(np.linalg.norm(titles, axis=1, keepdims=True), 1e-12)
        products = titles @ titles.T
        np.fill_diagonal(products, 0)
        return lambda people: binary[people] @ products

    return {'most popular': popular, 'item cosine (n x n)': cosine, 'EASE (n x n)': ease, 'PureSVD': pure_svd,
            'implicit ALS': als, 'implicit BPR': bpr, 'item2vec (gensim)': item2vec}.items()


def measure(affinities, seen, hidden, people, means, number=10):
    """Mean recall, normalised discounted cumulative gain and taste over the people."""
    discount = 1 / np.log2(np.arange(2, number + 2))
    recall, gain, taste = [], [], []
    for rank, person in zip(np.asarray(affinities, float), people):
        own, other = seen[person], hidden[person]
        if own.nnz < 5:
            continue
        above = other.data > means[other.indices]
        below = other.data < means[other.indices]
        if above.sum() > 1 and below.sum() > 1:
            high, low = rank[other.indices[above]][:, None], rank[other.indices[below]]
            taste.append((high > low).mean() + 0.5 * (high == low).mean())
        liked = other.indices[other.data >= own.data.mean()]
        if len(liked):
            rank = rank.copy()
            rank[own.indices] = -np.inf
            hit = np.isin(np.argsort(-rank, kind='stable')[:number], liked)
            recall.append(hit.sum() / min(number, len(liked)))
            gain.append((hit * discount[:len(hit)]).sum() / discount[:len(liked)].sum())
    return np.mean(recall), np.mean(gain), np.mean(taste)


def main():
    ask = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ask.add_argument('--people', type=int, default=2000)
    ask.add_argument('globals', nargs='*', help='NAME=value, handed on to embeddings.py')
    options = ask.parse_args()
    ids, seen, hidden = read_and_hide(options.globals)
    means = np.asarray(seen.sum(0)).ravel() / np.maximum(1, seen.getnnz(0))
    people = np.flatnonzero((seen.getnnz(1) >= 5) & (hidden.getnnz(1) > 0))
    people = np.sort(np.random.default_rng(1).permutation(people)[:options.people])
    print(f'{seen.shape[0]:,} lists, {len(ids):,} titles, {seen.nnz:,} scores seen, {hidden.nnz:,} hidden; asked for '
          f'{len(people):,} people\n{"":22s} recall@10  ndcg@10    taste  seconds')

    def show(name, affinities, seconds):
        print(f'{name:22s}' + ''.join(f'{value:9.4f}' for value in measure(affinities, seen, hidden, people, means))
              + f'{seconds:9.1f}', flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        ask_aniembed = aniembed(Path(scratch), options.globals, ids, seen)
        seconds = time.perf_counter() - started
        show('AniEmbed', ask_aniembed(seen[people]), seconds)
    for name, fit in peers(seen):
        started = time.perf_counter()
        try:
            ask_peer = fit()
        except ModuleNotFoundError as error:
            print(f'{name:22s} not installed: pip install {error.name}')
            continue
        seconds = time.perf_counter() - started
        show(name, ask_peer(people), seconds)


if __name__ == '__main__':
    main()
