#!/usr/bin/env python3
"""Draw the map of the titles: titles that the same people like lie near each other.

Reads    OUTPUT_DIR        embeddings.pkl, titles.json, neighbours.csv, settings.json of embeddings.py
         COVERS_DIR        cover pictures; missing ones are downloaded
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

from aniembed import settings
from aniembed.inputs.titles import by_popularity
from aniembed.map import clusters, drawing, earlier, land, layout, page
from aniembed.map.earlier import read_earlier
from aniembed.map.fonts import font_for
from aniembed.output import read_neighbours, read_settings, read_titles, read_vectors
from aniembed.sites.covers import fetch_covers

# Files
OUTPUT_DIR = 'output'  # folder that embeddings.py has written to; the map goes there too
COVERS_DIR = 'covers'  # folder that keeps the cover pictures, up to 1,500 titles; '' draws none
LIKE = ''  # OUTPUT_DIR or graph.json of an earlier map that this one is to resemble; '' for none

# The map
N_CLUSTERS = 0  # groups of titles that are coloured and named, up to 50; 0: fitted to the number of titles
TITLES = 'romaji'  # names on the map: 'romaji', MyAnimeList's own, or 'english' where there is one

SETTINGS = settings.head(
    globals(),
    OUTPUT_DIR=settings.path(),
    COVERS_DIR=settings.path(may_be_empty=True),
    LIKE=settings.path(may_be_empty=True),
    N_CLUSTERS=settings.whole(0, 50),
    TITLES=settings.choice('romaji', 'english'),
)


def check_sizes(config, n):
    """Check that N_CLUSTERS is not too large for n titles; UsageError if it is."""
    count = config['N_CLUSTERS']
    if count > n // 2:
        raise files.UsageError(f'N_CLUSTERS is {count}; it must be at most {n // 2} for {n} titles.')


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


def draw(config):
    """Draw the map of what embeddings.py has written to OUTPUT_DIR; return the names of the files written.

    config: dict of the settings of this script.
    """
    output_dir, covers_dir = config['OUTPUT_DIR'], config['COVERS_DIR']
    vectors = read_vectors(output_dir)
    ids = vectors.index.tolist()
    anime = read_titles(output_dir, ids)
    neighbours, record = read_neighbours(output_dir, ids), read_settings(output_dir)
    check_sizes(config, len(anime))
    shown, nearest = shown_titles(anime, config['TITLES']), nearest_rows(neighbours)
    points = np.ascontiguousarray(vectors, np.float32)
    print(f'map: t-SNE of {len(anime):,} titles')
    like = read_earlier(config['LIKE'], ids, points.shape[1]) if config['LIKE'] else None
    start = earlier.start_clusters(like, ids) if like else None
    cluster_of = clusters.find_clusters(points, config['N_CLUSTERS'], start)
    names = clusters.name_clusters(cluster_of, nearest, anime, shown)
    colours = land.cluster_colours(cluster_of, ids, by_popularity(anime))
    if like:
        names, colours = earlier.keep_names(cluster_of, names, colours, like, ids)
    groups = cluster_of, names, colours
    start = earlier.start_places(like, ids, nearest) if like else layout.principal_plane(points)
    early = layout.FROM_EARLIER if like else layout.ALIKE
    places = layout.tsne(layout.affinities(points), cluster_of, start, early)
    urls = anime['picture'].dropna().to_dict()
    covers = fetch_covers(urls, covers_dir) if covers_dir and len(anime) <= drawing.MOST_TILES else {}
    drawn = drawing.draw_map(
        places,
        nearest[:, : layout.KEPT],
        groups,
        (anime, shown, covers),
        vectors.attrs['lists'],
        vectors.attrs.get('unscored', ()),
    )
    drawing.save(drawn.image, os.path.join(output_dir, 'similarity_map.png'))
    new = set(ids) - set(like.ids) if like else ()
    graph = page.make_graph(vectors, anime, neighbours, {**record, **config}, groups, drawn.places, new)
    files.write_json(os.path.join(output_dir, 'graph.json'), graph, indent=None)
    written = ['similarity_map.png', 'graph.json']
    if os.path.exists(page.EXPLORER):
        page.write_explorer(os.path.join(output_dir, 'explore.html'), graph, urls.values())
        written.append('explore.html')
    else:
        print(f'no explore.html is written, because {os.path.normpath(page.EXPLORER)} is missing')
    if like:
        earlier.print_changes(like, anime, neighbours, drawn.places)
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
