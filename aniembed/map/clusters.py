"""Group titles into clusters, and name the clusters by their genres or titles."""

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.linalg import qr
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import eigsh
from threadpoolctl import threadpool_limits

from aniembed.inputs import titles
from aniembed.map.short_titles import SEQUEL, WORD, shorten
from aniembed.similarity import nearest_titles

GENRE_STANDS_OUT = 0.03  # the least weight, in nats, of a genre that names a cluster,
SECOND_GENRE = 0.45  # and its least share of the weight of the cluster's best one
CENTRAL = 0.5  # quantile of the share of a title's nearest in its own cluster, from which it may name that
LONG_WORD = 5  # characters of a word that is no accident within another: Nekomonogatari
LONGEST_NAME = 26  # characters of a title in a cluster's name
MOST_CLUSTERS = 14  # where their number is not given: more colours are hard to tell apart
CLUSTERS_PER_ROOT, LINKS_PER_ROOT = 1.1, 3  # clusters, and links of a title, per cube root of their number
EVEN = 2.0  # mean degrees that are added to each; more gives clusters of more even sizes
TINY = 1e-9  # keeps logarithms finite


def find_clusters(vectors, count, start=None):
    """Group titles by spectral clustering of the graph of nearest titles.

    vectors: float32 n x d of unit length; count: number of clusters, or 0 for about the cube root of n,
    MOST_CLUSTERS at most; start: int n, clusters of an earlier map to begin with, -1 for a new title. Returns
    int n, 0 for the largest cluster. Clusters have few links to each other (Ng
    and others 2001); the mean degree is added to each, without which a franchise is soon a cluster of its own
    (Qin and Rohe 2013).
    """
    root = len(vectors) ** (1 / 3)
    if start is not None and not count:
        start = np.unique(start, return_inverse=True)[1] - (start < 0).any()  # without gaps
        count = min(start.max() + 1, len(vectors) // 2)
    count = count or round(min(MOST_CLUSTERS, CLUSTERS_PER_ROOT * root))
    with threadpool_limits(1):  # the sum of several threads differs from run to run in its last digits
        links = link_nearest(vectors, round(LINKS_PER_ROOT * root))
        degree = np.asarray(links.sum(0)).ravel()
        scale = diags(1 / np.sqrt(degree + EVEN * degree.mean()))
        axes = eigsh(scale @ links @ scale, count, which='LA', v0=np.ones(len(vectors)))[1]
        axes /= np.linalg.norm(axes, axis=1, keepdims=True) + TINY
        if start is None or start.max() + 1 != count:
            centres = _first_centres(axes)
        else:
            centres = np.array([axes[start == k].mean(0) for k in range(count)])
        clusters = kmeans2(axes, centres, 100, minit='matrix')[1]
    size = np.bincount(clusters, minlength=count)
    order = np.argsort(-size[size > 0], kind='stable')  # k-means may leave a cluster empty
    return np.argsort(order)[(size > 0).cumsum()[clusters] - 1]


def link_nearest(vectors, k):
    """Return the links between titles that are near each other, a symmetric csr_matrix n x n.

    A link weighs 1 to a title's nearest and falls to 0 at its k-th nearest. So a small change of the vectors
    changes no link by much.
    """
    n = len(vectors)
    nearest, similarities = nearest_titles(vectors, k)
    weights = similarities.astype(float) - similarities[:, -1:] + TINY  # 1 where all are equally near
    weights /= weights[:, :1]
    rows = np.repeat(np.arange(n), nearest.shape[1])
    links = csr_matrix((weights.ravel(), (rows, nearest.ravel())), (n, n))
    return links + links.T


def _first_centres(axes):
    """Return the first centres of k-means for the rows of k eigenvectors, n x k: k x k, without chance.

    k rows that differ most are chosen by QR with pivoting, the others join the nearest of these after a
    rotation (Damle, Minden and Ying 2019).
    """
    count = axes.shape[1]
    pivots = qr(axes.T, mode='economic', pivoting=True)[2][:count]
    left, _, right = np.linalg.svd(axes[pivots].T)
    clusters = np.abs(axes @ (left @ right)).argmax(1)
    return np.array(
        [axes[clusters == k].mean(0) if (clusters == k).any() else axes[pivots[k]] for k in range(count)]
    )


def name_clusters(clusters, nearest, anime, shown):
    """Name each cluster by one or two genres, or by two of its popular titles where no genre stands out.

    clusters: int n; nearest: int n x k, rows of the titles nearest to each; anime: the title_table; shown: n
    str, the titles on the map. Returns a list of different names, in the order of the clusters. A genre
    weighs p log(p / q), p its share of the cluster's titles and q of all titles (a summand of the
    Kullback-Leibler divergence), divided by the number of clusters that have it in their name already.
    """
    if clusters.max() == 0:
        return ['All titles']
    by_popularity = titles.by_popularity(anime)
    at_home = (clusters[nearest] == clusters[:, None]).mean(1)
    genres = sorted(set().union(*anime['genres']))
    has_genre = np.array([[genre in row for genre in genres] for row in anime['genres']], float)
    overall, used, franchises = has_genre.mean(0), np.ones(len(genres)), set()
    names, combinations = [], []
    for cluster in range(clusters.max() + 1):
        members = by_popularity[clusters[by_popularity] == cluster]
        share = has_genre[members].mean(0)
        weight = share * np.log(np.maximum(share, TINY) / np.maximum(overall, TINY)) / used
        least = max(GENRE_STANDS_OUT, SECOND_GENRE * weight.max(initial=0))
        chosen = [genre for genre in np.argsort(-weight, kind='stable')[:2] if weight[genre] > least]
        used[chosen] += 1
        central = members[at_home[members] >= np.quantile(at_home[members], CENTRAL)]
        popular = two_franchises(*([shown[row] for row in rows] for rows in (central, members)), franchises)
        parts = [genres[genre] for genre in chosen] or popular
        name = ' & '.join(parts) + (f': {popular[0]}' if set(parts) in combinations else '')
        combinations.append(set(parts))
        names.append(f'{name} {cluster + 1}' if name in names else name)
    return names


def two_franchises(central, members, used):
    """Return the short names of the first two franchises among `central` that are not used yet.

    central, members: titles in a cluster's middle, and all of them, the popular first; used: set of the
    first words of franchises, to which these two are added. A franchise is called like its first title among
    `members`. Where all are used, the first one is returned.
    """
    chosen = {}
    for title in [*central, *members]:
        word = first_word(title)
        if len(chosen) < 2 and not any(_alike(word, other) for other in used):
            chosen[word] = next(member for member in members if first_word(member) == word)
            used.add(word)
    return [shorten(SEQUEL.sub('', title) or title, LONGEST_NAME) for title in chosen.values() or central[:1]]


def first_word(title):
    """Return the word that a title begins with; titles of one franchise share it."""
    return next(iter(WORD.findall(title.casefold())), title)


def _alike(one, other):
    """Return whether two first words are one franchise's: the same, or a long one within the other."""
    return one == other or (min(len(one), len(other)) >= LONG_WORD and (one in other or other in one))
