"""Keep a map like an earlier one: its axes, places, clusters and colours, and say what has changed."""

import base64
import os
from typing import NamedTuple

import numpy as np

from aniembed.files import RunError, read_json
from aniembed.map.land import COLOURS, SHADES

FEWEST = 3  # titles that both maps must have
NEAREST = 5  # titles that are compared, and whose places a new title starts from
SHOWN = 5  # titles of each kind that are printed


class Earlier(NamedTuple):
    """An earlier map of n titles.

    vectors: n x d; places: n x 2, y upwards; clusters: int n; names, colours: of the clusters; neighbours:
    dict MAL id -> list of MAL ids, nearest first.
    """

    ids: list
    vectors: np.ndarray
    places: np.ndarray
    clusters: np.ndarray
    names: list
    colours: list
    neighbours: dict


def read_earlier(path, ids, n_embedding):
    """Read the map that LIKE names: graph.json, or the OUTPUT_DIR that holds it.

    RunError if it is damaged, shares no titles with `ids`, or has vectors of another length.
    """
    if os.path.isdir(path):
        path = os.path.join(path, 'graph.json')
    graph = read_json(path, 'LIKE')
    try:
        rows, clusters = graph['anime'], graph['clusters']
        vectors = np.frombuffer(base64.b64decode(graph['vectors'], validate=True), '<f4')
        earlier = Earlier(
            [int(row['id']) for row in rows],
            vectors.reshape(len(rows), graph['n_embedding']),
            np.array([[row['x'], row['y']] for row in rows], float),
            np.array([row['cluster'] for row in rows], int),
            [str(cluster['name']) for cluster in clusters],
            [str(cluster['color']) for cluster in clusters],
            {int(mal_id): [int(other) for other, _ in row] for mal_id, row in graph['neighbours'].items()},
        )
        whole = np.isfinite(earlier.places).all() and np.isfinite(vectors).all()
        whole &= set(earlier.clusters.tolist()) <= set(range(len(clusters)))
        whole &= set(earlier.ids) == earlier.neighbours.keys()
    except (AttributeError, KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise RunError(f'LIKE ({path}) is not a graph.json that similarity_map.py writes, or is damaged.')
    d = earlier.vectors.shape[1]
    if d != n_embedding:
        raise RunError(
            f'LIKE ({path}) has {d} numbers a title, this map has {n_embedding}; set N_EMBEDDING={d}.'
        )
    if len(set(earlier.ids) & set(ids)) < FEWEST:
        raise RunError(f'LIKE ({path}) is a map of other titles; it must share {FEWEST} or more.')
    return earlier


def common_rows(earlier, ids):
    """Return the rows of the titles that both maps have: in this map, and in the earlier one."""
    row_of = {mal_id: row for row, mal_id in enumerate(earlier.ids)}
    rows = [row for row, mal_id in enumerate(ids) if mal_id in row_of]
    return rows, [row_of[ids[row]] for row in rows]


def turn(vectors, ids, earlier):
    """Return the vectors, float32 n x d, turned onto the earlier ones; no dot product changes.

    Orthogonal Procrustes (Schonemann 1966): the rotation that brings the titles in both nearest to their
    earlier vectors.
    """
    now, before = common_rows(earlier, ids)
    left, _, right = np.linalg.svd(vectors[now].T.astype(np.float64) @ earlier.vectors[before])
    return np.ascontiguousarray(vectors @ (left @ right), np.float32)


def start_places(earlier, ids, nearest):
    """Return the places from which t-SNE starts, n x 2: the earlier ones.

    nearest: int n x k. A new title starts among its nearest that are not new, in the middle without any. The
    first axis has a standard deviation of 1.
    """
    now, before = common_rows(earlier, ids)
    places = np.full((len(ids), 2), np.nan)
    places[now] = earlier.places[before] - earlier.places[before].mean(0)
    for row in np.flatnonzero(np.isnan(places[:, 0])):
        known = np.intersect1d(nearest[row][:NEAREST], now)
        places[row] = places[known].mean(0) if len(known) else 0
    return places / max(places[:, 0].std(), 1e-12)


def start_clusters(earlier, ids):
    """Return the earlier cluster of each title, int n; -1 for a new title."""
    now, before = common_rows(earlier, ids)
    clusters = np.full(len(ids), -1)
    clusters[now] = earlier.clusters[before]
    return clusters


def keep_names(clusters, names, colours, earlier, ids):
    """Return the names and colours of the clusters, those of the earlier ones where they are the same.

    A cluster is the same when it has more than half of the titles of either in both maps.
    """
    before, same = start_clusters(earlier, ids), {}
    for cluster in range(len(names)):
        members = before[(clusters == cluster) & (before >= 0)]
        other = int(np.bincount(members).argmax()) if len(members) else -1
        if 2 * (members == other).sum() > max(len(members), (before == other).sum()):
            same[cluster] = other
    kept_names = {cluster: earlier.names[other] for cluster, other in same.items()}
    kept_colours = {cluster: earlier.colours[other] for cluster, other in same.items()}
    free = [colour for colour in [*colours, *COLOURS, *SHADES] if colour not in kept_colours.values()]
    for cluster, name in enumerate(names):
        if cluster not in same:
            taken = name in kept_names.values()
            kept_names[cluster] = f'{name} {cluster + 1}' if taken else name
            kept_colours[cluster] = free.pop(0)
            free = [colour for colour in free if colour != kept_colours[cluster]]
    order = range(len(names))
    return [kept_names[cluster] for cluster in order], [kept_colours[cluster] for cluster in order]


def print_changes(earlier, anime, neighbours, places):
    """Print what has changed since the earlier map; places: n x 2 or more, in widths of the map."""
    ids, title = anime.index.tolist(), anime['title']
    now, before = common_rows(earlier, ids)
    nearest = {mal_id: [other for other, _ in neighbours[mal_id]][:NEAREST] for mal_id in ids}
    known = set(earlier.ids)
    new = [mal_id for mal_id in ids if mal_id not in known]
    gone = len(known - set(ids))
    moved = np.linalg.norm(places[now, :2] - earlier.places[before], axis=1)
    lost = {ids[row]: set(earlier.neighbours[ids[row]][:NEAREST]) - set(nearest[ids[row]]) for row in now}
    stayed = 1 - np.mean([len(others) for others in lost.values()]) / NEAREST
    print(
        f'since the earlier map: {len(new):,} titles are new, {gone:,} are gone; {stayed:.0%} of the '
        f'{NEAREST} nearest of the others are the same, and half of these titles have moved by less than '
        f"{np.median(moved):.3f} of the map's width"
    )
    for mal_id in new[:SHOWN]:
        print(f'  new: {title[mal_id]}, near ' + ', '.join(title[other] for other in nearest[mal_id][:3]))
    for mal_id in sorted(lost, key=lambda mal_id: -len(lost[mal_id]))[:SHOWN]:
        if lost[mal_id]:
            print(
                f'  changed: {title[mal_id]}, now near '
                + ', '.join(title[other] for other in nearest[mal_id][:3])
            )
