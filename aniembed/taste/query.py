"""Say what a person's scores mean for every title: the query on the vectors of embeddings.pkl."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from aniembed.taste import opinions
from aniembed.taste.opinions import planned_titles, weigh

# Searched on one half of the members of mal-2016 and read on the other (tests/STUDY.md). The docstrings of
# Query and predict_scores() have the formulas; graph.json carries the numbers to the page.
CONSTANTS = {
    **opinions.CONSTANTS,
    'score_weight': 0.2,  # a score one point higher weighs e^0.2 times as much
    'predicted_weight': 0.15,  # a predicted score one point higher has e^0.15 times the affinity
    'popularity_weight': 0.4,  # exponent of popularity
    'exponent': 1.7,  # exponent of the similarity of two titles
    'exponent_growth': 0.65,  # what it grows with log10(n): the more titles, the fewer count as near
    'linear_weight': 0.25,  # weight of the linear part among linear_titles or fewer
    'linear_titles': 100,
    'linear_fall': 1.25,  # exponent with which that weight falls as the titles become more
    'linear_popularity': 0.2,  # exponent of popularity in the linear part
    'noise': 0.5,  # variance of the noise of a liking, with 1 for that of the liking itself
    'prior': 0.02,  # what popularity alone says, beside the list
    'together_floor': 0.01,  # share of a person's highest affinity that a lower one counts as, together
    'scores_range': 2,  # the rest: of the predicted scores
    'scores_noise': 0.4,
    'scores_bias': 0.5,
    'scores_slope': 0.1,
}
C = SimpleNamespace(**CONSTANTS)
TITLES_PER_BLOCK = 1024  # whose products with a list stay in the cache


def recommend(vectors, scores, number=10, statuses=None, niche=0.0):
    """Return the titles that suit a person best, as a Series MAL id -> affinity, best first.

    vectors: the DataFrame of embeddings.pkl with its attrs. scores: dict or Series MAL id -> 1 to 10, 0 for a
    title on the list without a score, NaN for one that is not on it. Titles on the list are left out, those
    that are only planned are not; ids that the vectors do not have are passed over. number: how many; None
    gives all. statuses: dict MAL id -> watching status, as for opinions.weigh(). niche: 0 to 1, from popular
    titles to those that are like the list, however few know them. ValueError if the vectors have no attrs, a
    score is not one, or the list says nothing of any title that the vectors have.
    """
    scores = check_scores(scores)
    query = Query(vectors, scores, statuses, niche)
    affinity = pd.Series(query.affinity(), index=vectors.index, name='affinity')
    on_list = scores.keys() - planned_titles(scores, statuses)
    affinity = affinity.drop(list(on_list), errors='ignore').sort_values(ascending=False, kind='stable')
    return affinity if number is None else affinity.head(number)


def check_scores(scores):
    """Return a person's scores as a dict int -> float, without NaN; ValueError names what is not a score."""
    checked = {}
    for mal_id, score in dict(scores).items():
        try:
            number = np.nan if score is pd.NA else float(score)
        except (TypeError, ValueError):
            raise ValueError(f'the score of {mal_id} is {score!r}, not a number from 0 to 10') from None
        if np.isnan(number):
            continue
        if not 0 <= number <= 10:
            raise ValueError(f'the score of {mal_id} is {score!r}, not a number from 0 to 10')
        try:
            checked[int(mal_id)] = number  # JSON has text keys
        except (TypeError, ValueError):
            raise ValueError(f'{mal_id!r} is not a MAL id') from None
    return checked


class Query:
    """What a person's list says of every title; ValueError if it says nothing of the vectors' titles.

    Liking is modelled as a Gaussian process over the titles. Its observations are the known titles j, those
    that have a vector and of which opinions.weigh() gives a score s_j and a weight c_j (below 0: a dislike):

        affinity_i = q_i (sum_j k_ij a_j + b p_i^-0.2 sum_{j != i} v_i . v_j z_j + 0.02 q_i) e^(0.15 t_i)
        q_i = p_i^(0.4 (1 - niche))       b = 0.25 min(1, 100 / n)^1.25
        a = (K + 0.5 I)^-1 z       z_j = c_j e^(0.2 (s_j - m_j)) p_j^-0.5
        k_ij = max(0, v_i . v_j)^g, 1 for i = j       g = 1.7 + 0.65 log10(n)

    with v the vectors, m the mean score of a title, p its popularity, t the predicted score (predict_scores),
    K the k_ij of the known titles and n the number of titles. The inverse makes three seasons of one series
    count like one title and a little. The linear part is that of EASE (Steck, 2019) and also counts what
    speaks against a title; among few titles, of which a list has many, this says much. Where the liking is
    below 0, the last factor is e^(-0.15 t_i). Kernels are computed in float32.

    known: the ids j. predicted: the t_i, float64 n.
    """

    def __init__(self, vectors, scores, statuses=None, niche=0.0):
        if not 0 <= niche <= 1:
            raise ValueError(f'niche is {niche!r}, not a number from 0 to 1')
        mean, popularity = title_arrays(vectors)
        entries = weigh(scores, statuses)
        entries = {mal_id: entry for mal_id, entry in entries.items() if mal_id in vectors.index}
        if not entries:
            raise ValueError('none of the scores is of a title that the vectors know')
        scored = {mal_id: score for mal_id, score in scores.items() if score > 0 and mal_id in vectors.index}
        listed = [*{**entries, **scored}]  # the known titles come first
        self.known, rows = listed[: len(entries)], vectors.index.get_indexer(listed)
        self.rows = known = rows[: len(entries)]
        self.unit = vectors.to_numpy(np.float32)
        self.exponent = np.float32(C.exponent + C.exponent_growth * np.log10(len(vectors)))
        given, self.counts = np.array([*entries.values()]).T
        observed = self.counts * np.exp(C.score_weight * (given - mean[known])) / np.sqrt(popularity[known])
        kernel = self.similarity(self.unit[known] @ self.unit[known].T).astype(float)
        np.fill_diagonal(kernel, 1 + C.noise)
        weights = np.zeros((2, len(listed)))
        weights[0, : len(known)] = self.weights = np.linalg.solve(kernel, observed)
        is_scored = np.array([mal_id in scored for mal_id in listed])
        predictor = ScorePredictor(
            self.unit, mean, rows[is_scored], [scored[i] for i in listed if i in scored]
        )
        weights[1, is_scored] = predictor.weights
        self.similar, near = sums_over_list(self.unit, rows, weights, (self.similarity, nearness))
        self.predicted = predictor.predict(near)
        linear = C.linear_weight * min(1, C.linear_titles / len(vectors)) ** C.linear_fall
        self.linear_weights, self.linear_popularity = linear * observed, popularity**-C.linear_popularity
        self.item_weights = popularity ** (C.popularity_weight * (1 - niche))

    def similarity(self, products):
        """Return the k_ij of different titles, given their v_i . v_j, float32."""
        similarity = np.log(np.maximum(products, 1e-12))
        similarity *= self.exponent
        return np.exp(similarity, out=similarity)

    def affinity(self):
        """Return the affinity of every title, float64 n."""
        linear = self.unit @ (self.linear_weights @ self.unit[self.rows])
        linear[self.rows] -= self.linear_weights
        liking = self.similar + linear * self.linear_popularity + C.prior * self.item_weights
        liking *= self.item_weights
        return liking * np.exp(C.predicted_weight * np.copysign(self.predicted, liking))

    def terms(self, indices):
        """Return what each known title adds to the affinity of some titles, float64 k x len(indices).

        The factor of the predicted score is left out.
        """
        products = self.unit[self.rows] @ self.unit[indices].T
        same = self.rows[:, None] == np.asarray(indices)
        liking = self.weights[:, None] * np.where(same, 1, self.similarity(products))
        linear = self.linear_weights[:, None] * np.where(same, 0, products)
        return (liking + linear * self.linear_popularity[indices]) * self.item_weights[indices]

    def reasons(self, indices, number):
        """Return for each of some titles the known ids that add most to its affinity, best first.

        A dislike is never among them.
        """
        terms = np.where(self.counts[:, None] > 0, self.terms(indices), 0)
        best = np.argsort(-terms, axis=0, kind='stable')[:number]
        return [[self.known[j] for j in best[:, i] if terms[j, i] > 0] for i in range(terms.shape[1])]


def together(affinities):
    """Return the affinity of every title for several people who watch it together, float64 n.

    affinities: people x n. The geometric mean of the people's affinities, those below 0.01 of a person's
    highest raised to that. On pairs of members of mal-2016 it serves better than the mean or the least
    (tests/STUDY.md).
    """
    affinities = np.asarray(affinities)
    if len(affinities) == 1:
        return affinities[0]
    floor = np.maximum(C.together_floor * affinities.max(axis=1, keepdims=True), 1e-300)
    return np.exp(np.log(np.maximum(affinities, floor)).mean(axis=0))


def predict_scores(vectors, scores):
    """Return the score that a person is likely to give each title, as a Series MAL id -> 1 to 10.

    vectors and scores: as for recommend(); all titles are predicted, those on the list, too. A person's
    scores s are modelled as a Gaussian process around the titles' means m:

        t_i = m_i + sum_j k_ij a_j       a = (K + 0.4 I)^-1 (s - m)
        k_ij = 0.5 + 0.1 (m_i - 7.8) (m_j - 7.8) + e^(2 (v_i . v_j - 1))

    The first part is how far a person may score above or below everybody else; the second, with the usual
    score 7.8, how much more or less the scores may differ than the means do; the third says that titles with
    near vectors are scored alike. ValueError as of recommend().
    """
    scores = check_scores(scores)
    mean, _ = title_arrays(vectors)
    scored = {mal_id: score for mal_id, score in scores.items() if score > 0 and mal_id in vectors.index}
    if not scored:
        raise ValueError('none of the scores is of a title that the vectors know')
    unit, rows = vectors.to_numpy(np.float32), vectors.index.get_indexer([*scored])
    predictor = ScorePredictor(unit, mean, rows, scored.values())
    (near,) = sums_over_list(unit, rows, predictor.weights[None], (nearness,))
    return pd.Series(predictor.predict(near), vectors.index, name='score')


class ScorePredictor:
    """The formula of predict_scores(): first `weights`, the a_j, then predict().

    rows: of the k titles with a score; given: their scores.
    """

    def __init__(self, unit, mean, rows, given):
        self.mean, self.offset, self.rows = mean, mean - C.usual_score, rows
        offset = self.offset[rows]
        kernel = (
            C.scores_bias + C.scores_slope * np.outer(offset, offset) + nearness(unit[rows] @ unit[rows].T)
        )
        kernel += C.scores_noise * np.eye(len(rows))
        self.weights = np.linalg.solve(kernel, np.array([*given]) - mean[rows])

    def predict(self, near):
        """Return the scores of all titles. near: sum of e^(2 (v_i . v_j - 1)) a_j, float n."""
        if not len(self.rows):
            return self.mean
        slope = C.scores_slope * (self.weights @ self.offset[self.rows])
        return np.clip(self.mean + C.scores_bias * self.weights.sum() + slope * self.offset + near, 1, 10)


def nearness(products):
    """Return e^(2 (v_i . v_j - 1)) of the v_i . v_j."""
    near = np.multiply(products, np.float32(C.scores_range))
    near -= np.float32(C.scores_range)
    return np.exp(near, out=near)


def sums_over_list(unit, rows, weights, kernels):
    """Return sum_j w_j kernel(v_i . v_j) over the k titles of a list, for all n titles, float64 kernels x n.

    unit: the v, float32 n x d; rows: of the list's titles; weights: kernels x k; kernels: functions of an
    array of products. In blocks of titles that stay in the processor's cache.
    """
    listed, weights = unit[rows], weights.astype(np.float32)
    sums = np.empty((len(kernels), len(unit)))
    for start in range(0, len(unit), TITLES_PER_BLOCK):
        block = slice(start, start + TITLES_PER_BLOCK)
        products = listed @ unit[block].T
        for row, kernel in enumerate(kernels):
            sums[row, block] = weights[row] @ kernel(products)
    return sums


def title_arrays(vectors):
    """Return mean score and popularity of each title, float64 n; ValueError if the vectors have no attrs."""
    attrs = vectors.attrs
    if not {'mean', 'popularity'} <= attrs.keys():
        raise ValueError('these vectors have no attrs: read them from the embeddings.pkl of embeddings.py')
    ids = vectors.index.tolist()
    return tuple(
        np.fromiter(map(attrs[name].__getitem__, ids), float, len(ids)) for name in ('mean', 'popularity')
    )
