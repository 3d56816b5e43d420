#!/usr/bin/env python3
"""Draw the map of the titles: those that the same people score alike lie near each other.

Reads    OUTPUT_DIR        embeddings.pkl, titles.json, neighbours.csv, settings.json of embeddings.py
         COVERS_DIR        cover pictures; those that are not there yet are fetched
Writes   into OUTPUT_DIR   similarity_map.png; graph.json, for the page in web/; explore.html, that page and
                           the graph in one file that opens by double click

embeddings.py draws the map at its end. To draw it again, edit the globals below or give any of them for one
run:

    python3 similarity_map.py N_CLUSTERS=12 COVERS_DIR=
"""

import sys

from aniembed import files

if __name__ == '__main__':
    files.start_script()

import base64
import collections
import json
import os
import re
from functools import partial

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import eigsh
from threadpoolctl import threadpool_limits

from aniembed import settings
from aniembed.inputs import titles
from aniembed.map import drawing, layout
from aniembed.map.labels import SEQUEL, WORD, font_for, shorten
from aniembed.output import read_neighbours, read_settings, read_titles, read_vectors
from aniembed.sites.covers import fetch_covers
from aniembed.taste.query import CONSTANTS

# Files
OUTPUT_DIR = 'output'  # folder that embeddings.py has written to; the map goes there too
COVERS_DIR = 'covers'  # folder that keeps the cover pictures, up to 1,500 titles; '' draws none

# The map
PERPLEXITY = 0.0  # of t-SNE: neighbours that each title attends to, fewer than there are titles; 0: fitted
N_CLUSTERS = 0  # groups of titles that are coloured and named, up to 50; 0: fitted to the number of titles
MAP_WIDTH = 3200  # pixels, 2400 or more; from 300 titles on the map grows up to twice as wide
TITLES = 'romaji'  # names on the map: 'romaji', MyAnimeList's own, or 'english' where there is one

# Covers
COVER_WORKERS = 8  # covers fetched at the same time, 1 to 32
COVER_TIMEOUT = 5.0  # seconds that a picture server may be silent, 0.1 to 60

SETTINGS = settings.head(
    globals(),
    OUTPUT_DIR=settings.path(),
    COVERS_DIR=settings.path(may_be_empty=True),
    PERPLEXITY=settings.number(0, 10_000),
    N_CLUSTERS=settings.whole(0, 50),
    MAP_WIDTH=settings.whole(2400, 20_000),
    TITLES=settings.choice('romaji', 'english'),
    COVER_WORKERS=settings.whole(1, 32),
    COVER_TIMEOUT=settings.number(0.1, 60),
)
GRAPH_FORMAT = 'aniembed-graph/2'
GENRE_STANDS_OUT = 0.03  # the least weight, in nats, of a genre that names a cluster,
SECOND_GENRE = 0.45  # and its least share of the weight of the cluster's best one
CENTRAL = 0.5  # quantile of the share of a title's nearest in its own cluster, from which it may name that
LONG_WORD = 5  # characters of a word that is no accident within another: Nekomonogatari
LONGEST_NAME = 26  # characters of such a title
MOST_CLUSTERS = 16  # where N_CLUSTERS is 0: more colours are hard to tell apart
CLUSTERS_PER_ROOT = 1.1  # clusters per cube root of the number of titles
EVEN = 2.0  # mean degrees that are added to each; more gives clusters of more even sizes
CLUSTER_STARTS = 10  # of k-means, of which the best is taken
CLUSTER_STEPS = 100  # of each; none helps after some dozens
PLACE_DIGITS = 5  # decimals of x, y and r; a pixel of the widest map is 0.00005
TINY = 1e-9  # keeps logarithms finite
ONE_CLUSTER = 'All titles'
# The page that explore.html is made from, and the two texts in it that are replaced (web/README.md)
EXPLORER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'web', 'explorer.html')
GRAPH_PLACE = '<script type="application/json" id="graph"></script>'
USUAL_HOST = 'https://cdn.myanimelist.net'
PICTURE_HOST = re.compile(r'https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?=[/?#]|$)')
CHOICES = ('MX_CONTEXT', 'KVSTORE', 'TITLES')  # globals that are a word, not the name of a file


def check_sizes(config, n):
    """Check the settings that n titles bound; UsageError names the one that is too large."""
    for name, most in (('PERPLEXITY', n - 1), ('N_CLUSTERS', n // 2)):
        if config[name] > most:
            raise files.UsageError(f'{name} is {config[name]}; it must be at most {most} for {n} titles.')


def find_clusters(nearest, n_clusters, seed):
    """Group titles by spectral clustering of who is near whom: labels, n int, 0 the largest cluster.

    nearest: int n x k, rows of the titles nearest to each in the vectors. Clusters have few links to each
    other (Ng and others 2001); the mean degree is added to each, without which a franchise is soon a cluster
    of its own (Qin and Rohe 2013). Where n_clusters is 0, their number is about the cube root of n,
    MOST_CLUSTERS at most.
    """
    n, k = nearest.shape
    count = n_clusters or round(min(MOST_CLUSTERS, CLUSTERS_PER_ROOT * n ** (1 / 3)))
    links = csr_matrix((np.ones(n * k), (np.repeat(np.arange(n), k), nearest.ravel())), (n, n))
    links = links + links.T
    degree = np.asarray(links.sum(0)).ravel()
    scale = diags(1 / np.sqrt(degree + EVEN * degree.mean()))
    random, found = np.random.default_rng(seed), []
    with threadpool_limits(1):  # several threads add up in any order, which shows in the last digits
        axes = eigsh(scale @ links @ scale, count, which='LA', v0=np.ones(n))[1]
        axes /= np.linalg.norm(axes, axis=1, keepdims=True) + TINY
        for _ in range(CLUSTER_STARTS):
            centres, labels = kmeans2(axes, count, CLUSTER_STEPS, minit='++', seed=random)
            found.append((np.square(axes - centres[labels]).sum(), labels))
    labels = min(found, key=lambda result: result[0])[1]
    size = np.bincount(labels)
    return np.argsort(np.argsort(-size, kind='stable'))[labels]


def name_clusters(labels, nearest, anime, shown):
    """Name each cluster by one or two genres, or by two of its popular titles where no genre stands out.

    labels: int n; nearest: int n x k, of find_clusters(); anime: the title_table; shown: n str, the titles on
    the map. Returns a list of different names, in the order of the labels. A genre weighs p log(p / q), p its
    share of the cluster's titles and q of all titles (a summand of the Kullback-Leibler divergence), divided
    by the number of clusters that are named by it already.
    """
    if labels.max() == 0:
        return [ONE_CLUSTER]
    by_popularity = titles.by_popularity(anime)
    at_home = (labels[nearest] == labels[:, None]).mean(1)
    genres = sorted(set().union(*anime['genres']))
    has_genre = np.array([[genre in own for genre in genres] for own in anime['genres']], float)
    overall, used, franchises = has_genre.mean(0), np.ones(len(genres)), set()
    names, taken = [], []
    for label in range(labels.max() + 1):
        members = by_popularity[labels[by_popularity] == label]
        share = has_genre[members].mean(0)
        weight = share * np.log(np.maximum(share, TINY) / np.maximum(overall, TINY)) / used
        least = max(GENRE_STANDS_OUT, SECOND_GENRE * weight.max(initial=0))
        chosen = [genre for genre in np.argsort(-weight, kind='stable')[:2] if weight[genre] > least]
        used[chosen] += 1
        central = members[at_home[members] >= np.quantile(at_home[members], CENTRAL)]
        popular = two_franchises(*([shown[row] for row in rows] for rows in (central, members)), franchises)
        parts = [genres[genre] for genre in chosen] or popular
        name = ' & '.join(parts) + (f': {popular[0]}' if set(parts) in taken else '')
        taken.append(set(parts))
        names.append(f'{name} {label + 1}' if name in names else name)
    return names


def two_franchises(central, members, used):
    """Return the names, short, of the first two franchises among `central` that are not used before.

    central, members: titles in a cluster's middle, and all of them, the popular first; used: set of the
    first words of franchises, to which these two are added. A franchise is called like its first title among
    `members`. Where all are used, the first one is returned.
    """
    found = {}
    for title in [*central, *members]:
        word = first_word(title)
        if len(found) < 2 and not any(_alike(word, other) for other in used):
            found[word] = next(own for own in members if first_word(own) == word)
            used.add(word)
    return [shorten(SEQUEL.sub('', title) or title, LONGEST_NAME) for title in found.values() or central[:1]]


def first_word(title):
    """Return the word that a title begins with, by which titles of one franchise are known."""
    return next(iter(WORD.findall(title.casefold())), title)


def _alike(one, other):
    """Return whether two first words are one franchise's: the same, or a long one within the other."""
    return one == other or (min(len(one), len(other)) >= LONG_WORD and (one in other or other in one))


def shown_titles(anime, language):
    """Return the name on the map of each title, n str: language is 'romaji' or 'english'.

    Where there is none, or no font of this machine has its letters, the other one is taken.
    """
    languages = ['title', 'english'] if language == 'romaji' else ['english', 'title']
    return [
        next((name for name in names if name and font_for(name)[1]), title)
        for title, names in zip(anime['title'], anime[languages].values.tolist())
    ]


def nearest_rows(neighbours):
    """Return the rows of each title's nearest in the vectors, as many as all have: int n x k."""
    row_of = {mal_id: row for row, mal_id in enumerate(neighbours)}
    k = min(map(len, neighbours.values()))
    return np.array([[row_of[other] for other, _ in nearest[:k]] for nearest in neighbours.values()])


def footnote(lists, kept):
    """Return the sentence below the map, for the number of lists and the share of kept neighbours."""
    return (
        f'Drawn from {lists:,} lists: titles lie near each other when the same people like them, and '
        f"{kept:.0%} of each title's {layout.KEPT} most similar are among its {layout.KEPT} nearest here."
    )


def make_graph(vectors, anime, neighbours, record, clusters, places):
    """Return the content of graph.json, all that the page in web/ needs.

    vectors: the DataFrame of embeddings.pkl; anime: its title_table; record: settings of both scripts;
    clusters: (labels, names, colours); places: float n x 3, x, y and radius of each title's mark on the
    drawn map, in widths of the map, y upwards.
    """
    labels, names, colours = clusters
    rows = [
        {'id': mal_id, **row, 'cluster': label, 'x': x, 'y': y, 'r': r}
        for mal_id, row, label, (x, y, r) in zip(
            anime.index.tolist(),
            anime.to_dict('records'),
            labels.tolist(),
            places.round(PLACE_DIGITS).tolist(),
        )
    ]
    sizes = np.bincount(labels).tolist()
    return {
        'format': GRAPH_FORMAT,
        'n_embedding': vectors.shape[1],
        'lists': vectors.attrs['lists'],
        'settings': public_settings(record),
        'model': {**model_arrays(vectors), 'constants': CONSTANTS},
        'clusters': [
            {'id': label, 'name': name, 'size': size, 'color': colour}
            for label, (name, size, colour) in enumerate(zip(names, sizes, colours))
        ],
        'anime': rows,
        'neighbours': neighbours,
        'vectors': base64.b64encode(vectors.to_numpy('<f4').tobytes()).decode(),
    }


def public_settings(record):
    """Return the numbers and choices among the settings; no name of a file or folder."""
    return {
        name: value for name, value in record.items() if isinstance(value, (int, float)) or name in CHOICES
    }


def model_arrays(vectors):
    """Return the attrs of embeddings.pkl; a dict by MAL id becomes a list in the order of the ids."""
    return {
        name: [value[mal_id] for mal_id in vectors.index] if isinstance(value, dict) else value
        for name, value in vectors.attrs.items()
        if name != 'lists'
    }


def write_explorer(path, graph, urls):
    """Write explore.html: the page in web/ with the graph inside, one file that opens by double click.

    graph: what graph.json holds; urls: addresses of the cover pictures. The page's content security policy
    names the one host that most pictures come from. web/README.md says how the page is put together.
    """
    page = files.read_text(EXPLORER)
    hosts = collections.Counter(match[0] for match in map(PICTURE_HOST.match, urls) if match)
    host = hosts.most_common(1)[0][0] if hosts else USUAL_HOST
    # ASCII without '<': no title can end the element that holds it
    content = json.dumps(graph, allow_nan=False).replace('<', '\\u003c')
    for old, new in ((USUAL_HOST, host), (GRAPH_PLACE, GRAPH_PLACE.replace('><', f'>{content}<'))):
        if page.count(old) != 1:
            raise files.RunError(
                f'{EXPLORER} is not the page that this script knows; run npm run build in web/.'
            )
        page = page.replace(old, new)
    with files.whole_files(path) as (file,):
        file.write(page.encode())


def draw(config):
    """Draw the map of what embeddings.py has written to OUTPUT_DIR; return the names of the files written.

    config: dict of the settings of this script. SEED is that of embeddings.py.
    """
    output_dir, covers_dir = config['OUTPUT_DIR'], config['COVERS_DIR']
    vectors = read_vectors(output_dir)
    ids = vectors.index.tolist()
    anime = read_titles(output_dir, ids)
    neighbours, record = read_neighbours(output_dir, ids), read_settings(output_dir)
    seed = record['SEED']
    check_sizes(config, len(anime))
    shown = shown_titles(anime, config['TITLES'])
    points = np.ascontiguousarray(vectors, np.float32)
    nearest = nearest_rows(neighbours)
    labels = find_clusters(nearest, config['N_CLUSTERS'], seed)
    names = name_clusters(labels, nearest, anime, shown)
    print(f'map: t-SNE of {len(anime):,} titles, {len(names)} clusters')
    layouts = layout.tsne_layouts(points, labels, config['PERPLEXITY'], seed)
    urls = anime['picture'].dropna().to_dict()
    wanted = covers_dir and len(anime) <= drawing.MOST_TILES
    limits = config['COVER_WORKERS'], config['COVER_TIMEOUT']
    covers = fetch_covers(urls, covers_dir, *limits) if wanted else {}
    drawn = drawing.draw_map(
        config['MAP_WIDTH'],
        (layouts, nearest[:, : layout.KEPT]),
        (labels, names),
        (anime, shown, covers),
        partial(footnote, vectors.attrs['lists']),
    )
    drawing.save(drawn.image, os.path.join(output_dir, 'similarity_map.png'))
    graph = make_graph(
        vectors, anime, neighbours, {**record, **config}, (labels, names, drawn.colours), drawn.places
    )
    files.write_json(os.path.join(output_dir, 'graph.json'), graph, indent=None)
    written = ['similarity_map.png', 'graph.json']
    if os.path.exists(EXPLORER):
        write_explorer(os.path.join(output_dir, 'explore.html'), graph, urls.values())
        written.append('explore.html')
    else:
        print(f'no explore.html is written, because {EXPLORER} is missing')
    return written


def main(arguments):
    """Draw the map of OUTPUT_DIR; arguments: NAME=value of globals."""
    if {'-h', '--help'} & set(arguments):
        print(__doc__)
        return
    config = settings.read(arguments, SETTINGS)
    print(f'In {config["OUTPUT_DIR"]}: {", ".join(draw(config))}')


if __name__ == '__main__':
    files.end_imports()
    main(sys.argv[1:])
