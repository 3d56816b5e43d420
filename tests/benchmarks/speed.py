#!/usr/bin/env python3
"""Measure embeddings.py beside implicit's ALS and gensim's word2vec on the same lists in the same run.

    python3 tests/benchmarks/speed.py [--lists 100000] [--files 1] [--peers als,item2vec] [NAME=value ...]

Draws --lists lists with replacement from ANIME_DATA_LIST (the test data, or what NAME=value names), writes
them as --files pickles, and measures in a process of its own for each: the index with the reading, the net,
the map; ALS (50 factors, 20 iterations, 2 threads) and word2vec (50 numbers, 20 epochs) from lists in memory.
The peers are optional: pip install implicit gensim.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from aniembed import ratings, titles  # noqa: E402
from aniembed.safe_pickle import read_dataframe  # noqa: E402


def draw_lists(folder, inputs, lists, number):
    """Write pickles of lists drawn with replacement; return the titles and the bytes of one DataFrame."""
    frame = pd.concat([read_dataframe(path) for path in ratings.find_files(inputs['ANIME_DATA_LIST'])])
    frame = frame.astype(np.float32)
    random = np.random.default_rng(0)
    for k in range(number):
        rows = random.integers(0, len(frame), lists // number)
        names = [f'member{k}_{row}' for row in range(len(rows))]
        drawn = pd.DataFrame(frame.to_numpy()[rows], index=names, columns=frame.columns)
        drawn.to_pickle(folder / f'lists-{k:03}.pkl')
    return frame.shape[1], int(drawn.memory_usage().sum())


def peak_memory():
    """Return the largest memory of this process in bytes; ru_maxrss would count its parent, too."""
    status = Path('/proc/self/status').read_text()
    return int(status.split('VmHWM:')[1].split()[0]) * 1024


def measure_aniembed(arguments):
    """Return the seconds of each stage of embeddings.main(), the imports aside, and its peak memory."""
    import embeddings

    laps, started = {}, time.perf_counter()

    def lap(name, function):
        def timed(*given):
            nonlocal started
            laps['before ' + name] = time.perf_counter() - started
            began = time.perf_counter()
            result = function(*given)
            laps[name], laps[f'peak until {name}'] = time.perf_counter() - began, peak_memory()
            started = time.perf_counter()
            return result

        return timed

    embeddings.train = lap('net', embeddings.train)
    embeddings.similarity_map.draw = lap('map', embeddings.similarity_map.draw)
    embeddings.main(arguments)
    return {'index': laps.pop('before net'), 'files': laps.pop('before map'), **laps}


def read_lists(inputs):
    """Return all lists as one csr_matrix users x titles."""
    ids = titles.read_ids(inputs['ANIME_LIST'])
    paths = ratings.find_files(inputs['ANIME_DATA_LIST'])
    return scipy.sparse.vstack(
        [block.user_items for path in paths for block in ratings.read_blocks(path, ids)]
    )


def measure_als(arguments):
    """Return the seconds of implicit's ALS."""
    from implicit.als import AlternatingLeastSquares

    user_items = read_lists(as_inputs(arguments))
    user_items.data[:] = 1
    options = {'factors': 50, 'iterations': 20, 'alpha': 10, 'regularization': 0.05, 'random_state': 0}
    model = AlternatingLeastSquares(**options, num_threads=2)
    started = time.perf_counter()
    model.fit(user_items, show_progress=False)
    return {'net': time.perf_counter() - started}


def measure_item2vec(arguments):
    """Return the seconds of gensim's word2vec with lists as sentences."""
    from gensim.models import Word2Vec

    sentences = [list(map(str, row.indices)) for row in read_lists(as_inputs(arguments))]
    options = {'vector_size': 50, 'window': 15, 'sg': 1, 'negative': 5, 'epochs': 20, 'sample': 0}
    started = time.perf_counter()
    Word2Vec(sentences, **options, min_count=1, workers=2, seed=1)
    return {'net': time.perf_counter() - started}


def as_inputs(arguments):
    """Return ANIME_LIST and ANIME_DATA_LIST of NAME=value arguments, else those of the test data."""
    data = ROOT / 'test-data'
    inputs = {'ANIME_LIST': str(data / 'animelist.txt'), 'ANIME_DATA_LIST': str(data / 'dataframe.pkl.gz')}
    return {**inputs, **dict(argument.split('=', 1) for argument in arguments)}


def in_own_process(what, arguments, **environment):
    """Return the JSON that this script prints as `--measure what`; None where the peer is not installed."""
    done = subprocess.run(
        [sys.executable, __file__, '--measure', what, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if 'ModuleNotFoundError' in done.stderr:
        print(f'{what}: not installed (pip install implicit gensim)')
        return None
    if done.returncode:
        sys.exit(f'{what} ended with status {done.returncode}:\n{done.stderr}')
    return json.loads(done.stdout.splitlines()[-1])


def print_laps(laps, one):
    """Print what was measured; one: bytes of a DataFrame."""
    for name, value in laps.items():
        size = f'{value / 2**20:9,.0f} MB, {value / one:.2f} x the DataFrame'
        print(f'  {name:16s} ' + (size if 'peak' in name else f'{value:9.2f} s'))


def main():
    """Measure what the arguments ask for, and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--lists', type=int, default=100_000)
    parser.add_argument('--files', type=int, default=1)
    parser.add_argument('--peers', default='als,item2vec', help="comma-separated, or '' for none")
    parser.add_argument('--measure', help=argparse.SUPPRESS)
    parser.add_argument('globals', nargs='*', help='NAME=value, handed on to embeddings.py')
    options = parser.parse_args()
    measures = {'aniembed': measure_aniembed, 'als': measure_als, 'item2vec': measure_item2vec}
    if options.measure:
        print(json.dumps(measures[options.measure](options.globals)))
        return
    with tempfile.TemporaryDirectory() as folder:
        n, one = draw_lists(Path(folder), as_inputs(options.globals), options.lists, options.files)
        paths = [f'ANIME_DATA_LIST={folder}/lists-*.pkl', f'OUTPUT_DIR={folder}/output']
        arguments = [*options.globals, *paths, 'COVERS_DIR=']
        ours = in_own_process('aniembed', arguments)
        print(f'{n:,} titles x {options.lists:,} lists, {options.files} files of {one / 2**20:,.0f} MB')
        print_laps(ours, one)
        for peer in filter(None, options.peers.split(',')):
            theirs = in_own_process(peer, arguments, OPENBLAS_NUM_THREADS='1')
            if theirs:
                ratio = theirs['net'] / (ours['index'] + ours['net'])
                print(f'  {peer:16s} {theirs["net"]:9.2f} s, {ratio:.1f} times our index and net')


if __name__ == '__main__':
    main()
