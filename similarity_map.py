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

import os

import numpy as np
import pandas as pd

from aniembed import settings
from aniembed.inputs import titles
from aniembed.map import clusters, drawing, layout, page
from aniembed.map.fonts import font_for
from aniembed.output import read_vectors
from aniembed.sites.covers import fetch_covers

# Files
OUTPUT_DIR = 'output'  # folder that embeddings.py has written to; the map goes there too
COVERS_DIR = 'covers'  # folder that keeps the cover pictures, up to 1,500 titles; '' draws none

# The map
N_CLUSTERS = 0  # groups of titles that are coloured and named, up to 50; 0: fitted to the number of titles
TITLES = 'romaji'  # names on the map: 'romaji', MyAnimeList's own, or 'english' where there is one

RULES = {
    'OUTPUT_DIR': settings.path(),
    'COVERS_DIR': settings.path(may_be_empty=True),
    'N_CLUSTERS': settings.whole(0, 50),
    'TITLES': settings.choice('romaji', 'english'),
}
SIMILARITY_DIGITS = 4  # decimals in graph.json


def read_neighbours(path, ids):
    """Read neighbours.csv as a dict MAL id -> list of [MAL id, similarity], nearest first.

    ids: list of the n MAL ids. RunError if the file is of other titles, or damaged.
    """
    neighbours = {mal_id: [] for mal_id in ids}
    try:
        table = pd.read_csv(path)[['mal_id', 'neighbour_id', 'similarity']]
        for mal_id, neighbour, similarity in zip(*(table[name].tolist() for name in table)):
            neighbours[mal_id].append([neighbour, round(float(similarity), SIMILARITY_DIGITS)])
    except OSError as error:
        raise files.RunError(f'{path} cannot be read: {error.strerror}.') from None
    except (ValueError, KeyError, TypeError):
        neighbours = {}
    complete = neighbours and all(neighbours.values())
    if not complete or not set(table['neighbour_id']) <= neighbours.keys():
        raise files.RunError(f'{path} does not fit the titles of embeddings.pkl; run embeddings.py again.')
    return neighbours


def check_sizes(n):
    """Check that N_CLUSTERS is not too large for n titles; UsageError if it is."""
    if n < 2 * N_CLUSTERS:
        raise files.UsageError(f'N_CLUSTERS is {N_CLUSTERS}; it must be at most {n // 2} for {n} titles.')


def read_output(output_dir):
    """Read what embeddings.py has written: (vectors, anime, neighbours, info).

    vectors: of read_vectors(); anime: the title_table; neighbours: of read_neighbours(); info: what
    settings.json holds. RunError if something is missing or does not fit.
    """
    vectors = read_vectors(output_dir)
    ids = vectors.index.tolist()
    anime = titles.read_titles(os.path.join(output_dir, 'titles.json'), ids)
    neighbours = read_neighbours(os.path.join(output_dir, 'neighbours.csv'), ids)
    settings_path = os.path.join(output_dir, 'settings.json')
    info = files.read_json(settings_path)
    lists = info.get('lists') if isinstance(info, dict) else None
    if not isinstance(lists, dict) or not isinstance(lists.get('kept'), int):
        raise files.RunError(
            f'{settings_path} does not say how many lists were kept; run embeddings.py again.'
        )
    return vectors, anime, neighbours, info


def shown_titles(anime):
    """Return the name on the map of each title, n str: TITLES says which.

    Where there is none, or no font of this machine has its letters, the other one is taken.
    """
    languages = ['title', 'english'] if TITLES == 'romaji' else ['english', 'title']
    return [
        next((name for name in names if name and font_for(name)[1]), title)
        for title, names in zip(anime['title'], anime[languages].values.tolist())
    ]


def nearest_rows(neighbours):
    """Return the rows of each title's nearest in the vectors, as many as all have: int n x k."""
    row_of = {mal_id: row for row, mal_id in enumerate(neighbours)}
    k = min(map(len, neighbours.values()))
    return np.array([[row_of[other] for other, _ in nearest[:k]] for nearest in neighbours.values()])


def draw(output_dir):
    """Draw the map of what embeddings.py has written to a folder; returns the names of the files it wrote."""
    vectors, anime, neighbours, info = read_output(output_dir)
    check_sizes(len(anime))
    shown, nearest = shown_titles(anime), nearest_rows(neighbours)
    cluster_of = clusters.find_clusters(nearest, N_CLUSTERS, info['SEED'])
    names = clusters.name_clusters(cluster_of, nearest, anime, shown)
    print(f'map: t-SNE of {len(anime):,} titles, {len(names)} clusters')
    layouts = layout.tsne_layouts(np.ascontiguousarray(vectors, np.float32), cluster_of, info['SEED'])
    urls = anime['picture'].dropna().to_dict()
    covers = fetch_covers(urls, COVERS_DIR) if COVERS_DIR and len(anime) <= drawing.MOST_TILES else {}
    drawn = drawing.draw_map(
        (layouts, nearest[:, : layout.KEPT]),
        (cluster_of, names),
        (anime, shown, covers),
        info['lists']['kept'],
    )
    drawing.save(drawn.image, os.path.join(output_dir, 'similarity_map.png'))
    graph = page.make_graph(
        vectors,
        anime,
        neighbours,
        {**{name: globals()[name] for name in RULES}, **info},
        info['lists']['kept'],
        (cluster_of, names, drawn.colours),
        drawn.places,
    )
    files.write_json(os.path.join(output_dir, 'graph.json'), graph, indent=None)
    written = ['similarity_map.png', 'graph.json']
    if os.path.exists(page.EXPLORER):
        page.write_explorer(os.path.join(output_dir, 'explore.html'), graph, urls.values())
        written.append('explore.html')
    else:
        print(f'no explore.html is written, because {os.path.normpath(page.EXPLORER)} is missing')
    return written


def main(arguments):
    """Draw the map of OUTPUT_DIR; arguments: NAME=value of globals."""
    if {'-h', '--help'} & set(arguments):
        print(__doc__)
        return
    settings.apply(arguments, (globals(), RULES))
    print(f'In {OUTPUT_DIR}: {", ".join(draw(OUTPUT_DIR))}')


if __name__ == '__main__':
    files.end_imports()
    main(sys.argv[1:])
