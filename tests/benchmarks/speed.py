#!/usr/bin/env python3
"""Measure the whole run of embeddings.py beside implicit's ALS on the same lists in the same run.

    python3 tests/benchmarks/speed.py [--lists 100000] [--titles 3000] [--length 250] [NAME=value ...]

Makes a ratings file (make_ratings.py), and measures, each in a process of its own: `python3 embeddings.py`
from that file to all outputs, the start of Python included, with its stages and its peak memory; polars'
counting of each title's rows in the file; and the fit alone of AlternatingLeastSquares(factors=50,
iterations=20) with two threads on the same scores in memory (pip install implicit).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))


def peak_memory():
    """Return the largest memory of this process in bytes; ru_maxrss would count its parent, too."""
    status = Path('/proc/self/status').read_text()
    return int(status.split('VmHWM:')[1].split()[0]) * 1024


def measure_aniembed(arguments):
    """Return the seconds of each stage of embeddings.py after its imports, and its peak memory in bytes."""
    import embeddings

    laps, started = {}, time.perf_counter()

    def lap(before, name, function):
        def timed(*given):
            nonlocal started
            laps[before] = time.perf_counter() - started
            began = time.perf_counter()
            result = function(*given)
            started = time.perf_counter()
            laps[name] = started - began
            return result

        return timed

    embeddings.ratings.read_lists = lap('titles', 'reading', embeddings.ratings.read_lists)
    embeddings.target_of = lap('index', 'target', embeddings.target_of)
    embeddings.train = lap('rest', 'net', embeddings.train)
    embeddings.similarity_map.draw = lap('neighbours and files', 'map', embeddings.similarity_map.draw)
    embeddings.main(arguments)
    return {**laps, 'peak': peak_memory()}


def measure_polars(arguments):
    """Return the least seconds of two in which polars counts the rows of each title in the ratings file."""
    import polars

    (path,) = (argument.split('=', 1)[1] for argument in arguments if argument.startswith('ANIME_DATA_LIST='))
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        polars.scan_csv(path).group_by('anime_id').len().collect(engine='streaming')
        seconds.append(time.perf_counter() - started)
    return {'count': min(seconds)}


def measure_als(arguments):
    """Return the seconds of the fit of implicit's ALS, and the number of scores."""
    import scipy.sparse
    from implicit.als import AlternatingLeastSquares

    from aniembed.inputs import ratings, titles

    given = dict(argument.split('=', 1) for argument in arguments)
    lists = ratings.read_lists(ratings.find_files(given['ANIME_DATA_LIST']))
    ids = lists.most_scored(titles.read_nodes(given['ANIME_DATA']), int(given['TOP']))
    user_items = scipy.sparse.vstack(list(lists.blocks(ids)))
    user_items.data[:] = 1
    options = {'factors': 50, 'iterations': 20, 'alpha': 10, 'regularization': 0.05, 'random_state': 0}
    model = AlternatingLeastSquares(**options, num_threads=2)
    started = time.perf_counter()
    model.fit(user_items, show_progress=False)
    return {'fit': time.perf_counter() - started, 'scores': user_items.nnz}


def in_own_process(what, arguments):
    """Return the JSON that this script prints as `--measure what`, and the seconds of the whole process."""
    command = [sys.executable, __file__, '--measure', what, *arguments]
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, 'OPENBLAS_NUM_THREADS': '2' if what == 'aniembed' else '1'},
        capture_output=True, text=True,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f'{what} ended with status {done.returncode}:\n{done.stderr}')
    return json.loads(done.stdout.splitlines()[-1]), seconds


def main():
    """Measure what the arguments ask for, and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--lists', type=int, default=100_000)
    parser.add_argument('--titles', type=int, default=3000)
    parser.add_argument('--length', type=float, default=250, help='mean number of rows a list')
    parser.add_argument('--folder', help='keep the inputs and outputs there')
    parser.add_argument('--measure', help=argparse.SUPPRESS)
    parser.add_argument('globals', nargs='*', help='NAME=value, handed on to embeddings.py')
    options = parser.parse_args()
    if options.measure:
        measures = {'aniembed': measure_aniembed, 'polars': measure_polars, 'als': measure_als}
        print(json.dumps(measures[options.measure](options.globals)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(options.folder or scratch)
        sizes = [f'--users={options.lists}', f'--titles={options.titles}', f'--mean-length={options.length}']
        for name in ('ratings.csv', 'animes.json'):
            if not (folder / name).exists():
                make = [sys.executable, ROOT / 'tests/benchmarks/make_ratings.py', folder / name, *sizes]
                subprocess.run(make, check=True)
        arguments = [
            'ANIME_LIST=', f'TOP={options.titles}', f'ANIME_DATA={folder}/animes.json', 'COVERS_DIR=',
            f'ANIME_DATA_LIST={folder}/ratings.csv', f'OUTPUT_DIR={folder}/output', *options.globals,
        ]  # fmt: skip
        ours, whole = in_own_process('aniembed', arguments)
        counting, _ = in_own_process('polars', arguments)
        theirs, _ = in_own_process('als', arguments)
    print(f'{options.lists:,} lists x {options.titles:,} titles, {theirs["scores"]:,} scores')
    peak = ours.pop('peak')
    for name, seconds in ours.items():
        print(f'  {name:20s} {seconds:8.1f} s')
    print(f'  {"whole process":20s} {whole:8.1f} s, peak memory {peak / 1e9:.2f} GB')
    times = ours['reading'] / counting['count']
    print(f'  {"polars, counting":20s} {counting["count"]:8.1f} s, reading takes {times:.1f} times as long')
    print(f'  {"ALS, fit alone":20s} {theirs["fit"]:8.1f} s, ratio {whole / theirs["fit"]:.2f}')


if __name__ == '__main__':
    main()
