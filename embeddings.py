#!/usr/bin/env python3
"""Learn 50 numbers for every anime from what people scored, and list each title's nearest titles.

Reads   ANIME_LIST       the titles: one MyAnimeList id a line
        ANIME_DATA       what the API says of them: JSON, id -> node; or a public CSV file of titles
        ANIME_DATA_LIST  the lists: a pandas DataFrame pickle, users x ids, or a ratings file; or several
Writes  into OUTPUT_DIR  embeddings.pkl, titles.json, neighbours.csv, settings.json;
        similarity_map.py then adds similarity_map.png, graph.json and explore.html

Edit the globals below, or give any of them for one run (those of similarity_map.py, too):

    python3 embeddings.py EPOCHS=40 OUTPUT_DIR=try
"""

import sys

from aniembed import files

if __name__ == '__main__':
    files.start_script()
    print('importing MXNet', flush=True)

import os
import signal
import warnings

import numpy as np
import pandas as pd
from tqdm import tqdm

import similarity_map
from aniembed import settings
from aniembed.files import RunError, UsageError
from aniembed.inputs import ratings, titles
from aniembed.machines import Workers, join_workers
from aniembed.output import NAMES, write_output
from aniembed.similarity import PairSums, target_of

# ------------------------------------------------------------------------------------------------
# Files
ANIME_LIST = 'test-data/animelist.txt'  # one MAL id a line, the order of the vectors; '' takes the TOP titles
TOP = 100  # with ANIME_LIST = '', so many titles with the most scores, 5 or more
ANIME_DATA = 'test-data/animes.json'  # titles, means, genres: MAL id -> node of the API; or a public CSV file
# The lists: a pickle or a ratings file (CSV, TSV or Parquet), packed or not; or a pattern for several
ANIME_DATA_LIST = 'test-data/dataframe.pkl.gz'
OUTPUT_DIR = 'output'  # folder of the results, made if it is not there
# Which lists count
MIN_ANIME_REQUIRED = 15  # scores among the titles that a list must have, 1 or more
BOTTER_LIMIT = 9.9  # lists with a mean score above this are dropped, 1 to 10
# The similarity index
MARGIN = 1.15  # points below a title's mean at which liking begins, 0 to 10; less counts only who loves it
COMMON = 0.75  # share of the direction common to all titles that is removed, 0 to 1
POWER = 0.65  # exponent of the index, above 0 to 1; smaller raises faint similarities
RIDGE = 0.01  # penalty of the ridge target, as a share of the trace of W, 0.0001 to 1
# The net
N_EMBEDDING = 50  # numbers a title, 2 or more
EPOCHS = 0  # passes over all pairs of titles; 0 takes as many as are enough for their number
FOCUS = 4.0  # how much more similar pairs weigh in the loss, 0 or more; 0 weighs all alike
LEARNING_RATE = 0.02  # Adam's first step, above 0 to 1; it falls to 0 along a cosine
BATCH_SIZE = 200  # titles a batch, each against all titles, 1 or more; larger is faster and takes more memory
SEED = 7  # whole number; the same seed and inputs give the same files
MX_CONTEXT = 'cpu'  # where MXNet computes: 'cpu' or 'gpu'
KVSTORE = 'local'  # 'local' for this machine alone, 'dist_sync' for several with MXNet's parameter server
# ------------------------------------------------------------------------------------------------

RULES = {
    'ANIME_LIST': settings.path(may_be_empty=True),
    'TOP': settings.whole(5),
    'ANIME_DATA': settings.path(),
    'ANIME_DATA_LIST': settings.path(),
    'OUTPUT_DIR': settings.path(),
    'MIN_ANIME_REQUIRED': settings.whole(1),
    'BOTTER_LIMIT': settings.number(1, 10),
    'MARGIN': settings.number(0, 10),
    'COMMON': settings.number(0, 1),
    'POWER': settings.number(0.01, 1),
    'RIDGE': settings.number(0.0001, 1),
    'N_EMBEDDING': settings.whole(2, 10**4),
    'EPOCHS': settings.whole(0),
    'FOCUS': settings.number(0, 100),
    'LEARNING_RATE': settings.number(1e-9, 1),
    'BATCH_SIZE': settings.whole(1, 10**6),
    'SEED': settings.whole(0, 2**31 - 1),
    'MX_CONTEXT': settings.choice('cpu', 'gpu'),
    'KVSTORE': settings.choice('local', 'dist_sync'),
}
# With EPOCHS = 0: steps of Adam after which the loss falls by less than half a percent more (tests/README.md)
ENOUGH_STEPS, FEWEST_EPOCHS = 150, 3
SUBSPACE_ITERATIONS, SPARE_VECTORS = 6, 20  # of the start of the training
MIN_TITLES = 5  # with fewer there is nothing to learn and no map
NEIGHBOURS = 10  # nearest titles a title in neighbours.csv
SHOWN_TITLES, SHOWN_NEIGHBOURS = 5, 3  # how many are printed at the end
EMPTY_MEAN = 5.5  # mean of a title that nobody scored: the middle of 1 to 10
MOST_ALIKE = 0.45  # mean dot product of all pairs above which the vectors tell nothing apart
# What MXNet asks numpy for and newer versions no longer have
REMOVED_FROM_NUMPY = {kind.__name__: kind for kind in (bool, object, int, float, complex, str)}
REMOVED_FROM_NUMPY |= {'float_': np.float64, 'PZERO': 0.0, 'NZERO': -0.0, 'PINF': np.inf, 'NINF': -np.inf}
REMOVED_FROM_NUMPY |= dict.fromkeys(('Inf', 'Infinity', 'infty'), np.inf) | dict.fromkeys(
    ('NaN', 'NAN'), np.nan
)
UNUSED_BY_MXNET = 'sklearn', 'scipy.stats', 'h5py'  # imported by parts of it that nothing here uses


def import_mxnet():
    """Import MXNet 1.9.1 and return the module; numpy and the environment are left as they were.

    While it is imported, numpy answers for names that newer versions no longer have; for functions that MXNet
    only lists, with the name itself. In a process whose DMLC_ROLE is scheduler or server, the import itself
    would run that role and never return.
    """
    numpy_getattr = np.__getattr__

    def getattr_with_removed(name):
        try:
            return numpy_getattr(name)
        except AttributeError:
            if name.startswith('__'):
                raise
            return REMOVED_FROM_NUMPY.get(name, name)

    role = os.environ.pop('DMLC_ROLE', None)
    hidden = [name for name in UNUSED_BY_MXNET if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # to MXNet these are not installed, which saves a second
    np.__getattr__ = getattr_with_removed
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # numpy warns of some of these names
            import mxnet
    finally:
        np.__getattr__ = numpy_getattr
        for name in hidden:
            del sys.modules[name]
        if role is not None:
            os.environ['DMLC_ROLE'] = role
    return mxnet


mx = import_mxnet()


# ---- the lists -----------------------------------------------------------------------------------


def kept_lists(lists, ids, counts, workers):
    """Yield the lists that count, block by block, as csr_matrix user_items (users x titles).

    counts: dict that is filled with how many lists were read, kept, and dropped for which reason.
    """
    reasons = (
        'read',
        'kept',
        'dropped: too few scores',
        'dropped: mean too high',
        'dropped: all scores alike',
    )
    counts.update(dict.fromkeys(reasons, 0))
    for user_items in lists.blocks(ids, workers.rank, workers.number):
        number = np.diff(user_items.indptr)
        total = np.asarray(user_items.astype(np.float64).sum(1)).ravel()  # exact
        highest = user_items.max(1).toarray().ravel()
        dropped = ratings.left_out(number, total, highest, MIN_ANIME_REQUIRED, BOTTER_LIMIT)
        keep = ~np.any(dropped, axis=0)
        for reason, users in zip(reasons, (np.ones_like(keep), keep, *dropped)):
            counts[reason] += int(users.sum())
        yield user_items[keep]


def title_means(anime, blocks, workers):
    """Return every title's mean score, float32: that of ANIME_DATA, else the mean in the lists."""
    means = anime['mean'].to_numpy(np.float64, na_value=np.nan)
    absent = np.isnan(means)
    if absent.any():
        total, number = np.zeros(len(means)), np.zeros(len(means))
        for user_items in blocks:
            total += np.asarray(user_items.sum(0, dtype=np.float64)).ravel()
            number += user_items.getnnz(0)
        total, number = workers.sum(np.stack([total, number]))
        means[absent] = np.where(number > 0, total / np.maximum(number, 1), EMPTY_MEAN)[absent]
        print(f'{absent.sum()} titles have no mean score in ANIME_DATA; theirs is taken from the lists')
    return means.astype(np.float32)


# ---- the similarity index, and the iterator that feeds it to the net -------------------------------


class PairIterator(mx.io.DataIter):
    """Sum the similarity index over the lists, then feed the net with pairs: some titles against all.

    blocks: iterable of csr_matrix user_items; means: n mean scores; batch_size: titles a batch. Afterwards
    `target` is the index, float32 n x n, and `counts` how many lists score each title.
    """

    def __init__(self, blocks, means, batch_size, workers):
        n = len(means)
        super().__init__(min(batch_size, n))
        sums, counts = PairSums(means, MARGIN), np.zeros(n)
        for user_items in blocks:
            counts += user_items.getnnz(0)
            sums.add(user_items)
        self.counts = workers.sum(counts)
        self.target = target_of(workers.sum(sums.total()), COMMON, POWER, RIDGE)
        self.workers = workers
        self.batches_per_epoch = -(-n // (self.batch_size * workers.number))
        self.random = np.random.default_rng(SEED)
        self.provide_data = [mx.io.DataDesc('titles', (self.batch_size,))]
        self.provide_label = [mx.io.DataDesc('target', (self.batch_size, n))]
        self.reset()

    def reset(self):
        """Begin another epoch with the titles in another order."""
        # Titles from the front fill up the last batch: every batch has the shape that the net is bound to
        size = self.batches_per_epoch * self.workers.number * self.batch_size
        order = np.resize(self.random.permutation(len(self.target)), size)
        self.batches = iter(order.reshape(-1, self.batch_size)[self.workers.rank :: self.workers.number])

    def next(self):
        """Return the next batch; StopIteration at the end of an epoch."""
        indices = next(self.batches)
        return mx.io.DataBatch([mx.nd.array(indices)], [mx.nd.array(self.target[indices])], pad=0)


# ---- the net -------------------------------------------------------------------------------------


def embedding_net(n_titles, n_embedding, focus):
    """Return the net as an MXNet symbol: b titles and their targets (b x n) -> the loss of each title.

    Each row of `embedding_weight` (n x d) is brought to unit length, v_i = e_i / |e_i|. The loss is
    1/n sum_j w_ij (v_i . v_j - T_ij)^2 with w_ij = 1 + focus max(0, T_ij): few of n titles are near a title,
    and these are what the vectors are for.
    """
    vectors = mx.sym.L2Normalization(mx.sym.var('embedding_weight', shape=(n_titles, n_embedding)))
    batch = mx.sym.Embedding(mx.sym.var('titles'), vectors, input_dim=n_titles, output_dim=n_embedding)
    target = mx.sym.var('target')
    error = mx.sym.dot(batch, vectors, transpose_b=True) - target
    return mx.sym.MakeLoss(
        mx.sym.mean((1 + focus * mx.sym.relu(target)) * mx.sym.square(error), axis=1), name='loss'
    )


def initial_vectors(target, n_embedding, seed):
    """Return U L^1/2, the leading eigenvectors of the target times the roots of their eigenvalues, n x d.

    Without unit length no other d numbers a title come closer to the target (Eckart and Young, 1936). With
    fewer titles than numbers, the rest is noise. The eigenvectors are found by subspace iteration from random
    vectors (Halko, Martinsson and Tropp, 2011), a tenth of the work of Lanczos's method at 9,000 titles.
    """
    n = len(target)
    random = np.random.default_rng(seed)
    start = random.normal(0, 1e-3, (n, n_embedding)).astype(np.float32)
    basis = random.normal(size=(n, min(n, n_embedding + SPARE_VECTORS))).astype(np.float32)
    for _ in range(SUBSPACE_ITERATIONS):
        basis = np.linalg.qr(target @ basis)[0]
    values, rotation = np.linalg.eigh(basis.T @ (target @ basis))
    leading = np.argsort(-values)[:n_embedding]
    start[:, : len(leading)] += basis @ rotation[:, leading] * np.sqrt(np.maximum(values[leading], 0))
    return start


def train(pairs):
    """Train the net on a PairIterator; return the vectors and the loss.

    The vectors are float32 n x N_EMBEDDING, rows of unit length. RunError if the training fails.
    """
    os.environ.setdefault('MXNET_SUBGRAPH_VERBOSE', '0')  # no line of MXNet's own between ours
    mx.random.seed(SEED)
    n = len(pairs.target)
    root_mean_square = np.sqrt(
        (np.linalg.norm(pairs.target) ** 2 - n) / (n * (n - 1))
    )  # without the diagonal
    net = mx.mod.Module(
        embedding_net(n, N_EMBEDDING, FOCUS / root_mean_square),
        ['titles'],
        ['target'],
        context=mx.gpu() if MX_CONTEXT == 'gpu' else mx.cpu(),
    )
    epochs = EPOCHS or max(FEWEST_EPOCHS, -(-ENOUGH_STEPS // pairs.batches_per_epoch))
    loss = mx.metric.Loss()
    schedule = mx.lr_scheduler.CosineScheduler(epochs * pairs.batches_per_epoch, LEARNING_RATE, 0)
    bar = tqdm(
        total=epochs, desc='training', unit='epoch', delay=1, disable=None, dynamic_ncols=True, leave=False
    )

    def after_epoch(epoch, *_):
        value = loss.get()[1]
        if not np.isfinite(value):
            raise RunError(f'the loss is {value} after epoch {epoch + 1}; take a smaller LEARNING_RATE.')
        bar.set_postfix(loss=f'{value:.6f}', refresh=False)
        bar.update()

    with bar, InterruptBetween() as interrupt:
        net.fit(
            pairs,
            num_epoch=epochs,
            eval_metric=loss,
            epoch_end_callback=after_epoch,
            batch_end_callback=interrupt.check,
            kvstore=pairs.workers.store or 'local',
            arg_params={'embedding_weight': mx.nd.array(initial_vectors(pairs.target, N_EMBEDDING, SEED))},
            optimizer='adam',
            optimizer_params={'learning_rate': LEARNING_RATE, 'lr_scheduler': schedule},
        )
    return unit_vectors(net.get_params()[0]['embedding_weight'].asnumpy()), round(float(loss.get()[1]), 6)


class InterruptBetween:
    """Hold Ctrl-C back until check() is called.

    Python loses a KeyboardInterrupt that falls into a destructor of one of MXNet's many arrays.
    """

    def __enter__(self):
        self.pressed, self.handler = False, signal.getsignal(signal.SIGINT)
        if self.handler is signal.default_int_handler:  # one that is ignored stays so
            signal.signal(signal.SIGINT, self.press)
        return self

    def press(self, *_):
        """Remember that Ctrl-C was pressed."""
        self.pressed = True

    def check(self, *_):
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self.pressed:
            raise KeyboardInterrupt

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self.handler)


def unit_vectors(weights):
    """Return the rows of the embedding at unit length; RunError if they cannot tell the titles apart."""
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise RunError('the vectors are no longer numbers; take a smaller LEARNING_RATE.')
    vectors = weights / lengths
    alike = float(np.linalg.norm(vectors.mean(0)) ** 2)  # the mean of v_i . v_j over all pairs
    if not alike < MOST_ALIKE:
        raise RunError(
            f'all vectors point the same way (mean dot product {alike:.3f}): the lists do not tell the '
            'titles apart; take a smaller MARGIN, or more lists.'
        )
    return vectors


# ---- outputs -------------------------------------------------------------------------------------


def vectors_frame(vectors, ids, counts, means, kept):
    """Return the vectors as the DataFrame of embeddings.pkl; its attrs hold what recommend.py needs besides.

    These are each title's `mean` score and `popularity`, (counts_i + 1) / their mean, and how many `lists`.
    """
    popularity = (counts + 1) / np.mean(counts + 1)
    frame = pd.DataFrame(vectors, index=pd.Index(ids, name='mal_id'))
    frame.attrs = {
        'mean': dict(zip(ids, means.tolist())),
        'popularity': dict(zip(ids, popularity.tolist())),
        'lists': kept,
    }
    return frame


def nearest_titles(vectors, k):
    """Return the k titles with the largest dot product to each title, itself left out, best first.

    vectors: float32 n x d of unit length. Returns indices (int n x k) and similarities (float32 n x k).
    """
    k = min(k, len(vectors) - 1)
    indices, similarities = np.empty((len(vectors), k), int), np.empty((len(vectors), k), np.float32)
    rows_per_block = 1024
    for start in range(0, len(vectors), rows_per_block):
        block = slice(start, start + rows_per_block)
        products = vectors[block] @ vectors.T
        products[np.arange(len(products)), np.arange(start, start + len(products))] = -np.inf
        nearest = np.argpartition(-products, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(products, nearest, 1), axis=1, kind='stable')
        indices[block] = np.take_along_axis(nearest, order, 1)
        similarities[block] = np.take_along_axis(products, indices[block], 1)
    return indices, similarities


def neighbour_table(anime, indices, similarities):
    """Return nearest_titles() as the table of neighbours.csv, k rows a title."""
    title, k = anime['title'].to_numpy(), indices.shape[1]
    rows = np.repeat(np.arange(len(anime)), k)
    return pd.DataFrame(
        {
            'mal_id': anime.index[rows],
            'title': title[rows],
            'rank': np.tile(np.arange(k) + 1, len(anime)),
            'neighbour_id': anime.index[indices.ravel()],
            'neighbour_title': title[indices.ravel()],
            'similarity': similarities.ravel(),
        }
    )


def print_neighbours(anime, neighbours):
    """Print the nearest titles of the best-known ones."""
    print('\nNearest titles; 1 is loved by exactly the same people, 0 has nothing in common:')
    for mal_id in anime.index[titles.by_popularity(anime)[:SHOWN_TITLES]]:
        print(f'\n{anime.title[mal_id]}')
        for row in neighbours[neighbours.mal_id == mal_id].head(SHOWN_NEIGHBOURS).itertuples():
            print(f'  {row.similarity:.2f}  {row.neighbour_title}')


def main(arguments):
    """Run from NAME=value arguments to the files in OUTPUT_DIR."""
    if {'-h', '--help'} & set(arguments):
        print(__doc__)
        return
    settings.apply(arguments, (globals(), RULES), (vars(similarity_map), similarity_map.RULES))
    if MX_CONTEXT == 'gpu' and not mx.context.num_gpus():
        raise UsageError("MX_CONTEXT is 'gpu', but MXNet finds no GPU or was built without CUDA; take 'cpu'.")
    with join_workers(mx, KVSTORE) if KVSTORE == 'dist_sync' else Workers() as workers:
        learn(workers)


def learn(workers):
    """Turn the lists into vectors, write what was learnt, and draw the map."""
    files.make_folder(OUTPUT_DIR, 'OUTPUT_DIR')
    paths = ratings.find_files(ANIME_DATA_LIST)
    print(f'reading {ANIME_DATA} and {ANIME_DATA_LIST}', flush=True)
    nodes = titles.read_nodes(ANIME_DATA)
    lists = ratings.read_lists(paths)
    ids = titles.read_ids(ANIME_LIST) if ANIME_LIST else lists.most_scored(nodes, TOP)
    if len(ids) < MIN_TITLES:
        where = (
            f'ANIME_LIST ({ANIME_LIST})'
            if ANIME_LIST
            else f'{ANIME_DATA_LIST}, as far as ANIME_DATA knows them,'
        )
        raise RunError(f'{where} holds {len(ids)} titles; {MIN_TITLES} or more are needed.')
    similarity_map.check_sizes(len(ids))
    nodes = titles.select_nodes(nodes, ids, ANIME_DATA)
    anime = titles.title_table(nodes, ANIME_DATA)

    means = title_means(anime, kept_lists(lists, ids, {}, workers), workers)
    counts = {}
    pairs = PairIterator(kept_lists(lists, ids, counts, workers), means, BATCH_SIZE, workers)
    del lists  # not needed any more, and large
    counts = dict(zip(counts, map(int, workers.sum(np.array([*counts.values()], np.float64)))))
    print('lists: ' + ', '.join(f'{number:,} {what}' for what, number in counts.items()), flush=True)
    if not counts['kept']:
        raise RunError(f'no list of {ANIME_DATA_LIST} is left; look at MIN_ANIME_REQUIRED and BOTTER_LIMIT.')
    vectors, loss = train(pairs)
    print(f'net: {len(ids):,} titles, {N_EMBEDDING} numbers each, loss {loss:.5f}')
    if workers.rank:
        return  # the first worker alone writes

    frame = vectors_frame(vectors, ids, pairs.counts, means, counts['kept'])
    neighbours = neighbour_table(anime, *nearest_titles(vectors, NEIGHBOURS))
    versions = {'python': sys.version.split()[0], 'mxnet': mx.__version__, 'numpy': np.__version__}
    record = {
        **{name: globals()[name] for name in RULES},
        'versions': versions,
        'lists': counts,
        'loss': loss,
    }
    write_output(OUTPUT_DIR, frame, nodes, neighbours, record)
    del pairs  # the target is the largest thing in memory, and is not needed any more
    drawn = similarity_map.draw(OUTPUT_DIR)
    print_neighbours(anime, neighbours)
    print(f'\nAll results are in {OUTPUT_DIR}: ' + ', '.join(sorted([*NAMES, *drawn])))


if __name__ == '__main__':
    files.end_imports()
    main(sys.argv[1:])
