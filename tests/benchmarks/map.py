#!/usr/bin/env python3
"""Measure the map: neighbours kept, trustworthiness, overlaps, names written, seconds.

    python3 tests/benchmarks/map.py OUTPUT_DIR [OUTPUT_DIR ...] [--covers FOLDER]

OUTPUT_DIR holds what embeddings.py writes; nothing is written there. Rows: plain t-SNE (scikit-learn,
perplexity 30 or the square root of the number of titles), the t-SNE of the map, and the drawn map.

    kept        share of each title's five nearest in the vectors that are its five nearest on the plane
    trust       trustworthiness of the five nearest (Venna and Kaski 2001): 1 where no stranger comes near
    overlaps    pairs of marks, or of a name and a mark or another name, that overlap
    names       share of titles whose name is written
    sea         share of the area within the outermost marks that is sea, and islands of at least five titles;
                the share of the five nearest on the plane that are of a title's own cluster
    seconds     of this process: t-SNE, drawing and saving
"""

import argparse
import io
import sys
import time
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.spatial import Delaunay, cKDTree
from sklearn.manifold import TSNE, trustworthiness

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import similarity_map  # noqa: E402
from aniembed import output  # noqa: E402
from aniembed.inputs.titles import by_popularity  # noqa: E402
from aniembed.map import clusters, drawing, land, layout  # noqa: E402

PLAIN_PERPLEXITY = 30.0  # scikit-learn's default
ISLAND = 5  # titles from which on land counts as an island
TRUST_UP_TO = 5000  # titles: trustworthiness takes n x n numbers


def row(name, vectors, nearest, places, seconds, rest=''):
    """Print one row of the table."""
    k = nearest.shape[1]
    few = len(vectors) <= TRUST_UP_TO
    trust = trustworthiness(vectors, places, n_neighbors=k, metric='cosine') if few else np.nan
    kept = layout.kept_neighbours(nearest, places)
    print(f'{name:18} {kept:6.3f} {trust:6.3f} {seconds:8.1f}  {rest}', flush=True)


def overlaps(drawn, tiles):
    """Return the number of overlapping pairs of marks and names."""
    names = [label.box for label in [*drawn.names, *drawn.labels] if label]
    boxes = np.array([*drawn.boxes, *names])
    count = 0
    for one in range(len(boxes)):
        other = boxes[one + 1 :]
        low, high = np.maximum(boxes[one, :2], other[:, :2]), np.minimum(boxes[one, 2:], other[:, 2:])
        hit = np.flatnonzero((high - low > 1).all(1)) + one + 1
        if not tiles:  # of two discs the middles decide
            both = hit[(hit < len(drawn.boxes)) & (one < len(drawn.boxes))]
            middle, radius = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2] - boxes[:, 0]) / 2
            apart = np.linalg.norm(middle[both] - middle[one], axis=1) >= radius[both] + radius[one]
            hit = np.setdiff1d(hit, both[apart])
        count += len(hit)
    return count


def sea(drawn, canvas, cluster_of):
    """Return in words how much of the convex hull of the marks is sea, and what its islands are."""
    points = (drawn.boxes[:, :2] + drawn.boxes[:, 2:]) / 2
    dry = land.make_land(canvas, points, cluster_of).total >= land.COAST
    cell = canvas.width / land.GRID
    middles = (np.argwhere(np.ones_like(dry))[:, ::-1] + 0.5) * cell
    inside = Delaunay(points).find_simplex(middles) >= 0
    column, row = (points / cell).astype(int).T
    islands = np.bincount(ndimage.label(dry)[0][row, column])[1:]
    islands = islands[islands >= ISLAND]
    share = 1 - dry.ravel()[inside].mean()
    largest = islands.max(initial=0) / len(points)
    nearest = cKDTree(points).query(points, layout.KEPT + 1)[1][:, 1:]
    own = (cluster_of[nearest] == cluster_of[:, None]).mean()
    return (
        f'{share:.0%} sea, {len(islands)} islands, {largest:.0%} of the titles on the largest, '
        f'{own:.0%} of the neighbours of the same colour'
    )


def measure(folder, covers):
    """Print the rows of one OUTPUT_DIR."""
    vectors = output.read_vectors(folder)
    ids = vectors.index.tolist()
    anime, neighbours = output.read_titles(folder, ids), output.read_neighbours(folder, ids)
    points = np.ascontiguousarray(vectors, np.float32)
    ten, n = similarity_map.nearest_rows(neighbours), len(points)
    nearest = ten[:, : layout.KEPT]
    written = anime['title'].tolist()
    paths = {mal_id: Path(covers, f'{mal_id}.jpg') for mal_id in anime.index} if covers else {}
    paths = {mal_id: path for mal_id, path in paths.items() if path.exists()}
    print(f'{folder}: {n:,} titles, {len(paths):,} covers\n{"":18}   kept  trust  seconds')
    begun = time.process_time()
    tsne = TSNE(metric='cosine', init='pca', perplexity=min(PLAIN_PERPLEXITY, n**0.5), random_state=0)
    plain = tsne.fit_transform(points)
    row('plain t-SNE', points, nearest, plain, time.process_time() - begun)

    cluster_of = clusters.find_clusters(points, 0)
    names = clusters.name_clusters(cluster_of, ten, anime, written)
    begun = time.process_time()
    places = layout.tsne(layout.affinities(points), cluster_of, layout.principal_plane(points))
    seconds = time.process_time() - begun
    row('t-SNE', points, nearest, places, seconds)
    begun = time.process_time()
    colours = land.cluster_colours(cluster_of, anime.index, by_popularity(anime))
    titles = anime, written, paths
    drawn = drawing.draw_map(places, nearest, (cluster_of, names, colours), titles, 0)
    drawn.image.save(io.BytesIO(), 'PNG', compress_level=drawing.COMPRESSION)
    seconds = time.process_time() - begun
    share = sum(label is not None for label in drawn.labels) / n
    size = f'{drawn.image.width} x {drawn.image.height}'
    rest = f'{overlaps(drawn, bool(paths))} overlaps, {share:.0%} of the names, {size}'
    row('drawn map', points, nearest, drawn.places[:, :2], seconds, rest)
    print(f'{"":18} {sea(drawn, drawing.Canvas(anime, paths), cluster_of)}')


def main():
    """Measure each OUTPUT_DIR."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('output_dir', nargs='+')
    parser.add_argument('--covers')
    arguments = parser.parse_args()
    for folder in arguments.output_dir:
        measure(folder, arguments.covers)


if __name__ == '__main__':
    main()
