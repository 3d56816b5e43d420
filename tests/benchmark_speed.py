#!/usr/bin/env python3
"""How long embeddings.py takes, side by side with implicit's ALS and gensim's word2vec on the same lists in the same run.

    python3 tests/benchmark_speed.py [--lists 100000] [--files 1] [--peers als,item2vec] [NAME=value ...]

Draws --lists lists with replacement from ANIME_DATA_LIST (the test data, or what NAME=value names), writes them as
--files pickles, and measures in a process of its own for each: reading and index, net, t-SNE, clusters, map; ALS (50
factors, 20 iterations, 2 threads) and word2vec (50 numbers, 20 epochs) from lists that are already in memory. The peers are
optional: pip install implicit gensim.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def draw_lists(folder, arguments, lists, files):
    """Write `files` pickles of lists drawn with replacement; returns (titles, bytes of one DataFrame, bytes of all)."""
    import numpy as np
    import pandas as pd
    import embeddings
    embeddings.apply_arguments(arguments)
    ids = embeddings.read_anime_list()
    frame = pd.concat([embeddings.read_lists(path, ids)[0] for path in embeddings.list_files()]).astype(np.float32)
    random = np.random.default_rng(0)
    sizes = []
    for k in range(files):
        rows = random.integers(0, len(frame), lists // files)
        drawn = pd.DataFrame(frame.to_numpy()[rows], index=[f'member{k}_{row}' for row in range(len(rows))], columns=frame.columns)
        sizes.append(int(drawn.memory_usage().sum()))
        drawn.to_pickle(folder / f'lists-{k:03}.pkl')
    return len(ids), max(sizes), sum(sizes)


def peak_memory():
    """The largest memory of this process in bytes (ru_maxrss would count the process that started this one, too)."""
    status = Path('/proc/self/status').read_text()
    return int(status.split('VmHWM:')[1].split()[0]) * 1024


def measure_aniembed(arguments):
    """Seconds of each stage, from opening the pickle on, imports aside."""
    import embeddings
    embeddings.apply_arguments(arguments)
    os.makedirs(embeddings.OUTPUT_DIR, exist_ok=True)
    ids = embeddings.read_anime_list()
    anime = embeddings.read_anime_data(ids)
    laps, started = {}, time.perf_counter()

    def lap(name):
        nonlocal started
        laps[name] = time.perf_counter() - started
        started = time.perf_counter()

    paths, counts = embeddings.list_files(), {}
    means = embeddings.fill_means(anime, paths)
    pairs = embeddings.PairIterator(embeddings.score_blocks(paths, ids, counts), means, embeddings.BATCH_SIZE)
    lap('index')
    vectors, _ = embeddings.train(pairs)
    lap('net')
    laps['peak'] = peak_memory()
    del pairs
    labels, names = embeddings.find_clusters(vectors, anime)
    lap('clusters')
    positions = embeddings.place_titles(vectors)
    lap('t-SNE')
    embeddings.draw_map(positions, labels, names, embeddings.cluster_colours(positions, labels), anime, {}, '')
    lap('map')
    laps['peak of all'] = peak_memory()
    return laps


def sparse_lists(arguments):
    import numpy as np
    import scipy.sparse
    import embeddings
    embeddings.apply_arguments(arguments)
    blocks = embeddings.score_blocks(embeddings.list_files(), embeddings.read_anime_list(), {})
    return scipy.sparse.vstack([scipy.sparse.csr_matrix(block) for block in blocks]).astype(np.float32)


def measure_als(arguments):
    from implicit.als import AlternatingLeastSquares
    liked = sparse_lists(arguments)
    liked.data[:] = 1
    model = AlternatingLeastSquares(factors=50, iterations=20, alpha=10, regularization=0.05, random_state=0, num_threads=2)
    started = time.perf_counter()
    model.fit(liked, show_progress=False)
    return {'net': time.perf_counter() - started}


def measure_item2vec(arguments):
    from gensim.models import Word2Vec
    lists = sparse_lists(arguments)
    sentences = [[str(title) for title in lists.indices[start:stop]] for start, stop in zip(lists.indptr, lists.indptr[1:])]
    started = time.perf_counter()
    Word2Vec(sentences, vector_size=50, window=15, sg=1, negative=5, min_count=1, epochs=20, workers=2, seed=1, sample=0)
    return {'net': time.perf_counter() - started}


def in_own_process(what, arguments, **environment):
    """The JSON that this script prints as `--measure what`; None where the peer is not installed."""
    done = subprocess.run([sys.executable, __file__, '--measure', what, *arguments], capture_output=True, text=True,
                          env={**os.environ, **environment})
    if 'ModuleNotFoundError' in done.stderr:
        print(f'{what}: not installed (pip install implicit gensim)')
        return None
    if done.returncode:
        sys.exit(f'{what} ended with status {done.returncode}:\n{done.stderr}')
    return json.loads(done.stdout.splitlines()[-1])


def main():
    ask = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ask.add_argument('--lists', type=int, default=100_000)
    ask.add_argument('--files', type=int, default=1)
    ask.add_argument('--peers', default='als,item2vec', help="comma-separated, or '' for none")
    ask.add_argument('--whole', action='store_true', help='also the whole of python3 embeddings.py against its imports')
    ask.add_argument('--measure', help=argparse.SUPPRESS)
    ask.add_argument('globals', nargs='*', help='NAME=value, handed on to embeddings.py')
    options = ask.parse_args()
    measures = {'aniembed': measure_aniembed, 'als': measure_als, 'item2vec': measure_item2vec}
    if options.measure:
        print(json.dumps(measures[options.measure](options.globals)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        titles, one, every = draw_lists(folder, options.globals, options.lists, options.files)
        arguments = [*options.globals, f'ANIME_DATA_LIST={folder}/lists-*.pkl', f'OUTPUT_DIR={folder}/output']
        ours = in_own_process('aniembed', arguments)
        print(f'\n{titles:,} titles x {options.lists:,} lists, {options.files} files of {one / 2**20:,.0f} MB as a DataFrame')
        for name, value in ours.items():
            print(f'  {name:12s} {value / 2**20:9,.0f} MB, {value / one:.2f} x the DataFrame' if 'peak' in name
                  else f'  {name:12s} {value:9.2f} s')
        vectors = ours['index'] + ours['net']
        print(f'  {"to vectors":12s} {vectors:9.2f} s')
        for peer in filter(None, options.peers.split(',')):
            theirs = in_own_process(peer, arguments, OPENBLAS_NUM_THREADS='1')
            if theirs:
                print(f'  {peer:12s} {theirs["net"]:9.2f} s, {theirs["net"] / vectors:.1f} times ours')
        if options.whole:
            imports = 'import mxnet, pandas, sklearn.manifold, matplotlib.pyplot'
            times = {}
            for name, command in {'imports': ['-c', ALIASES + imports],
                                  'whole run': ['embeddings.py', *arguments]}.items():
                started = time.perf_counter()
                subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
                times[name] = time.perf_counter() - started
                print(f'  {name:12s} {times[name]:9.2f} s')
            print(f'  the whole run takes {times["whole run"] / times["imports"]:.2f} times its imports')


# Without these names MXNet does not import on numpy 1.24 and later (see embeddings.py).
ALIASES = 'import numpy; [setattr(numpy, t.__name__, t) for t in (bool, object, int, float, complex, str)]; '

if __name__ == '__main__':
    main()
