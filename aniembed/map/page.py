"""Write graph.json, and explore.html: the page of web/ with that graph inside."""

import base64
import collections
import json
import os
import re

import numpy as np

from aniembed import files
from aniembed.map import land
from aniembed.map.short_titles import short_titles
from aniembed.taste.query import CONSTANTS

GRAPH_FORMAT = 'aniembed-graph/3'
LABEL_LENGTH = 30  # characters of a title on the page's map
PLACE_DIGITS = 5  # decimals of x, y and r; a pixel of the widest map is 0.00005
CHOICES = ('MX_CONTEXT', 'KVSTORE', 'TITLES')  # settings that are a word, not the name of a file
# The page that explore.html is made from, and the two texts in it that are replaced (web/README.md)
EXPLORER = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, 'web', 'explorer.html')
GRAPH_PLACE = '<script type="application/json" id="graph"></script>'
USUAL_HOST = 'https://cdn.myanimelist.net'
PICTURE_HOST = re.compile(r'https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?=[/?#]|$)')


def make_graph(vectors, anime, neighbours, settings, clusters, places, new=()):
    """Return the content of graph.json, all that the page in web/ needs.

    vectors: the DataFrame of embeddings.pkl; anime: its title_table; neighbours: of read_neighbours();
    settings: dict of the settings of both scripts; clusters: (int n, names, colours); places: float n x 3, x,
    y and radius of each title's mark on the drawn map, in widths of the map, y upwards;
    new: set of the MAL ids that the map of LIKE lacks.
    """
    cluster_of, names, colours = clusters
    years, english = anime['year'].tolist(), anime['english'].fillna(anime['title'])
    added = {
        'unscored': anime.index.isin(vectors.attrs.get('unscored', [])),
        'label': short_titles(anime['title'].tolist(), years, LABEL_LENGTH),
        'label_english': short_titles(english.tolist(), years, LABEL_LENGTH),
    }
    rows = [
        {'id': mal_id, **row, 'cluster': cluster, 'x': x, 'y': y, 'r': r}
        | ({'new': True} if mal_id in new else {})
        for mal_id, row, cluster, (x, y, r) in zip(
            anime.index.tolist(),
            anime.assign(**added).to_dict('records'),
            cluster_of.tolist(),
            places.round(PLACE_DIGITS).tolist(),
        )
    ]
    sizes = np.bincount(cluster_of).tolist()
    return {
        'format': GRAPH_FORMAT,
        'n_embedding': vectors.shape[1],
        'lists': vectors.attrs['lists'],
        'settings': public_settings(settings),
        'model': {**model_arrays(vectors), 'constants': CONSTANTS},
        'land': {'shore': land.SHORE, 'shallows': land.SHALLOWS, 'coast': land.COAST},
        'clusters': [
            {'id': cluster, 'name': name, 'size': size, 'color': colour}
            for cluster, (name, size, colour) in enumerate(zip(names, sizes, colours))
        ],
        'anime': rows,
        'neighbours': neighbours,
        'vectors': base64.b64encode(vectors.to_numpy('<f4').tobytes()).decode(),
    }


def public_settings(settings):
    """Return the settings that are numbers or choices, without the names of files and folders."""
    return {
        name: value for name, value in settings.items() if isinstance(value, (int, float)) or name in CHOICES
    }


def model_arrays(vectors):
    """Return the attrs of embeddings.pkl; a dict by MAL id becomes a list in the order of the ids."""
    return {
        name: [value[mal_id] for mal_id in vectors.index] if isinstance(value, dict) else value
        for name, value in vectors.attrs.items()
        if name not in ('lists', 'unscored')
    }


def write_explorer(path, graph, urls):
    """Write explore.html: the page of web/ with the graph inside, one file that opens by double click.

    graph: content of graph.json; urls: addresses of the cover pictures. The page's content security policy
    allows the one host that most pictures come from. web/README.md describes how the page is put together.
    RunError if the page lacks a place for the graph.
    """
    page = files.read_text(EXPLORER)
    hosts = collections.Counter(match[0] for match in map(PICTURE_HOST.match, urls) if match)
    host = hosts.most_common(1)[0][0] if hosts else USUAL_HOST
    # ASCII without '<': no title can end the element that holds it
    content = json.dumps(graph, allow_nan=False).replace('<', '\\u003c')
    for old, new in ((USUAL_HOST, host), (GRAPH_PLACE, GRAPH_PLACE.replace('><', f'>{content}<'))):
        if page.count(old) != 1:
            raise files.RunError(
                f'{os.path.normpath(EXPLORER)} is of another version; run npm run build in web/.'
            )
        page = page.replace(old, new)
    with files.whole_files(path) as (file,):
        file.write(page.encode())
