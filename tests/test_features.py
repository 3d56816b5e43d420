"""aniembed/features.py: titles that few have scored, or nobody, lie where what they are says."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge
from tools.planted import GROUPS, nodes_of, planted_scores

import embeddings
from aniembed import features, machines, settings, similarity
from aniembed.inputs import titles

CONFIG = settings.read(('MIN_ANIME_REQUIRED=1',), embeddings.SETTINGS)


def title_table(n, **changes):
    """Return the title_table of planted titles, whose genre is their group."""
    return titles.title_table({int(key): {**node, **changes} for key, node in nodes_of(n).items()}, 'made up')


def learn(scores, anime):
    """Return what learn_vectors() gives for some scores, and the pair sums and counts that it had."""
    workers, means = machines.Workers(), np.full(len(anime), 6.5, np.float32)
    means[~(scores > 0).any(0)] = np.nan
    blocks = [csr_matrix(np.nan_to_num(scores), dtype=np.float32)]
    sums, scored, _ = embeddings.sum_pairs(blocks, means, CONFIG, workers)
    return embeddings.learn_vectors(sums.copy(), scored, means, anime, CONFIG, workers), sums, scored


def test_titles_without_scores_land_in_their_group():
    scores, group = planted_scores()
    cold = np.arange(len(group)) < GROUPS  # one title of each group
    scores[:, cold] = np.nan
    (vectors, means, expected, _), _, scored = learn(scores, title_table(len(group)))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    nearest = np.argsort(-(vectors[cold] @ vectors[~cold].T), axis=1)[:, :5]
    assert (group[~cold][nearest] == group[cold][:, None]).all()
    # Nobody can know better than that they are like the others
    np.testing.assert_allclose(means[cold], 6.5, atol=0.01)
    assert (scored[cold] == 0).all() and (expected[cold] > 0.8 * scored[~cold].min()).all()
    np.testing.assert_array_equal(expected[~cold], scored[~cold])


def test_without_features_all_is_as_without_this_module():
    scores, group = planted_scores()
    scores[:, 0] = np.nan
    (vectors, means, expected, loss), sums, scored = learn(scores, title_table(len(group), genres=None))
    target = similarity.target_of(sums, *(CONFIG[name] for name in ('COMMON', 'POWER', 'RIDGE')))
    plain, plain_loss = embeddings.train(target, CONFIG, machines.Workers())
    np.testing.assert_array_equal(vectors, plain)
    assert loss == plain_loss and expected[0] == 0
    np.testing.assert_allclose(means, 6.5)


def test_lists_win_as_they_grow():
    random = np.random.default_rng(2)
    vectors = random.normal(size=(40, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    matrix = csr_matrix(random.random((40, 5)) < 0.3, dtype=np.float32)
    distances = []
    for number in (0, 1, 10, 100, 10_000):
        counts = np.full(40, 200.0)
        counts[matrix.getnnz(1).argmax()] = number
        completed = features.complete(vectors, np.full(40, 7.0), counts, matrix)[0]
        distances.append(np.linalg.norm((completed - vectors)[matrix.getnnz(1).argmax()]))
        target = similarity.unit_diagonal(vectors @ vectors.T)
        mixed = target.copy()
        features.mix_similarity(mixed, matrix, counts)
        distances.append(np.abs(mixed - target)[matrix.getnnz(1).argmax()].max())
    assert (np.diff(distances[::2]) < 0).all() and distances[-2] < 1e-3
    assert (np.diff(distances[1::2]) < 0).all()


def test_the_mixed_target_equals_a_plain_double_loop():
    random = np.random.default_rng(3)
    n = 30
    matrix = csr_matrix((random.random((n, 8)) < 0.2) * random.random((n, 8)), dtype=np.float32)
    counts = random.integers(0, 3000, n).astype(float)
    target = similarity.unit_diagonal(
        random.normal(size=(n, n)).astype(np.float32) + 3 * np.eye(n, dtype='f')
    )
    mixed, dense = target.copy(), matrix.toarray()
    features.mix_similarity(mixed, matrix, counts)
    for i in range(n):
        for j in range(n):
            lengths = np.linalg.norm(dense[i]) * np.linalg.norm(dense[j])
            share = np.sqrt(0.2 / (1 + counts[i] / 1000) * 0.2 / (1 + counts[j] / 1000)) if lengths else 0
            cosine = dense[i] @ dense[j] / lengths if lengths else 0
            expected = 1 if i == j else target[i, j] + share * (0.6 * cosine - target[i, j])
            assert mixed[i, j] == pytest.approx(expected, abs=1e-5), (i, j)


def test_the_prediction_is_ridge_regression():
    random = np.random.default_rng(4)
    matrix = csr_matrix((random.random((60, 7)) < 0.3) * 1.0)
    values, counts = random.normal(size=(60, 4)), random.integers(0, 40, 60).astype(float)
    counts[:5] = 0
    weight = counts / (counts + features.FEW_LISTS)
    mean = np.average(values, axis=0, weights=weight)
    ridge = Ridge(features.PENALTY, fit_intercept=False)
    ridge.fit(matrix.toarray(), values - mean, sample_weight=weight)
    predicted = features.predict(values, counts, matrix)
    np.testing.assert_allclose(predicted, mean + ridge.predict(matrix.toarray()), atol=1e-6)
    values[:5] = 9  # of titles that nobody scored nothing is learnt
    np.testing.assert_allclose(features.predict(values, counts, matrix), predicted)


def test_features_that_tell_nothing_are_left_out():
    node = {'title': 'A', 'media_type': 'tv', 'genres': [{'name': 'Drama'}], 'start_season': {'year': 2021}}
    nodes = {mal_id: {**node, 'studios': [{'name': f'Studio {mal_id}'}]} for mal_id in range(1, 9)}
    nodes[2] = {'title': 'B'}
    nodes[3] = {**node, 'genres': [], 'studios': [{'name': 'Studio 1'}], 'start_season': {'year': 1999}}
    matrix = features.feature_matrix(titles.title_table(nodes, 'made up')).toarray()
    # Studio 1, Drama and 2020 to 2024; tv is the feature of all but one, and 1995 to 1999 of one
    assert matrix.shape == (8, 3) and not matrix[1].any()
    assert (matrix**2).sum() == pytest.approx(8)
    studio, drama = 0.5 * np.log(8 / 3), np.log(8 / 7)
    assert sorted(set(matrix[0] / matrix[0].max()))[1] == pytest.approx(drama / studio)
    assert features.feature_matrix(pd.DataFrame(title_table(8, genres=None))).shape[1] == 0
