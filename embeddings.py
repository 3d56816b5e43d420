#!/usr/bin/env python3
"""Learn an embedding of 50 numbers for every anime from people's lists, and find its nearest titles.

Reads   ANIME_LIST       the titles: one MyAnimeList id a line
        ANIME_DATA       their data from the API: JSON, id -> node; or a public CSV file of titles
        ANIME_DATA_LIST  the lists: a pandas DataFrame pickle, users x ids, or a ratings file; or several
Writes  into OUTPUT_DIR  embeddings.pkl, titles.json, neighbours.csv, settings.json;
        similarity_map.py then adds similarity_map.png, graph.json and explore.html

Edit the settings below, or set any of them, and those of similarity_map.py, for one run:

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
from aniembed import features, settings
from aniembed.files import RunError, UsageError
from aniembed.inputs import ratings, titles
from aniembed.machines import Workers, join_workers
from aniembed.map.earlier import read_earlier, turn
from aniembed.output import NAMES, write_output
from aniembed.similarity import PairSums, nearest_titles, target_of

# ------------------------------------------------------------------------------------------------
# Files
ANIME_LIST = 'test-data/animelist.txt'  # one MAL id a line, in the order of the vectors; '': the TOP titles
TOP = 100  # number of titles with ANIME_LIST = '', those with the most scores; 5 or more
ANIME_DATA = 'test-data/animes.json'  # titles, means, genres: MAL id -> node of the API; or a public CSV file
# The lists: a pickle or a ratings file (CSV, TSV or Parquet), packed or not; or a pattern for several
ANIME_DATA_LIST = 'test-data/dataframe.pkl.gz'
OUTPUT_DIR = 'output'  # folder of the results, made if it is not there
# Which lists count
MIN_ANIME_REQUIRED = 15  # scores among the titles that a list must have, 1 or more
BOTTER_LIMIT = 9.9  # lists with a mean score above this are dropped, 1 to 10
# The similarity index
MARGIN = 1.15  # points below a title's mean at which liking begins, 0 to 10; 0: only above the mean
COMMON = 0.75  # share of the direction common to all titles that is removed, 0 to 1
POWER = 0.65  # exponent of the index, 0.01 to 1; lower values boost weak similarities
RIDGE = 0.01  # penalty of the ridge target, as a share of the trace of W, 0.0001 to 1
# The net
N_EMBEDDING = 50  # numbers a title, 2 or more
EPOCHS = 0  # passes over all pairs of titles; 0: enough for the number of titles
FOCUS = 4.0  # extra weight of similar pairs in the loss, 0 to 100; 0: all pairs weigh the same
LEARNING_RATE = 0.02  # Adam's initial learning rate, above 0, up to 1; it falls to 0 along a cosine
BATCH_SIZE = 200  # titles a batch, each against all titles, 1 or more; larger is faster but needs more memory
SEED = 7  # whole number; the same seed, inputs and number of threads give the same files
MX_CONTEXT = 'cpu'  # where MXNet computes: 'cpu' or 'gpu'
KVSTORE = 'local'  # 'local' for this machine alone, 'dist_sync' for several with MXNet's parameter server
# ------------------------------------------------------------------------------------------------

SETTINGS = settings.head(
    globals(),
    ANIME_LIST=settings.path(may_be_empty=True),
    TOP=settings.whole(5),
    ANIME_DATA=settings.path(),
    ANIME_DATA_LIST=settings.path(),
    OUTPUT_DIR=settings.path(),
    MIN_ANIME_REQUIRED=settings.whole(1),
    BOTTER_LIMIT=settings.number(1, 10),
    MARGIN=settings.number(0, 10),
    COMMON=settings.number(0, 1),
    POWER=settings.number(0.01, 1),
    RIDGE=settings.number(0.0001, 1),
    N_EMBEDDING=settings.whole(2, 10**4),
    EPOCHS=settings.whole(0),
    FOCUS=settings.number(0, 100),
    LEARNING_RATE=settings.number(1e-9, 1),
    BATCH_SIZE=settings.whole(1, 10**6),
    SEED=settings.whole(0, 2**31 - 1),
    MX_CONTEXT=settings.choice('cpu', 'gpu'),
    KVSTORE=settings.choice('local', 'dist_sync'),
)
MIN_TITLES = 5  # with fewer there is nothing to learn and no map
# What becomes of a list
OUTCOMES = (
    'read',
    'kept',
    'dropped: too few scores',
    'dropped: mean too high',
    'dropped: all scores alike',
)
# What MXNet asks numpy for and newer versions no longer have
REMOVED_FROM_NUMPY = {
    **{kind.__name__: kind for kind in (bool, object, int, float, complex, str)},
    **dict.fromkeys(('Inf', 'Infinity', 'PINF', 'infty'), np.inf),
    **{'NAN': np.nan, 'NINF': -np.inf, 'NZERO': -0.0, 'NaN': np.nan, 'PZERO': 0.0, 'float_': np.float64},
}
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


# ---- the lists -> W ------------------------------------------------------------------------------


def select_lists(user_items, config):
    """Return the lists of a block that count, and how many have each of the OUTCOMES.

    user_items: csr_matrix users x titles.
    """
    number = np.diff(user_items.indptr)
    total = np.asarray(user_items.astype(np.float64).sum(1)).ravel()  # exact
    highest = user_items.max(1).toarray().ravel()
    dropped = ratings.left_out(number, total, highest, config['MIN_ANIME_REQUIRED'], config['BOTTER_LIMIT'])
    keep = ~np.any(dropped, axis=0)
    return user_items[keep], np.array([len(keep), keep.sum(), *np.sum(dropped, axis=1)], np.float64)


def title_means(anime, blocks, config, workers):
    """Return every title's mean score, float32: that of ANIME_DATA, else the mean in the lists that count.

    A title that has neither gets NaN.
    """
    means = anime['mean'].to_numpy(np.float64, na_value=np.nan)
    absent = np.isnan(means)
    if absent.any():
        total, number = np.zeros(len(means)), np.zeros(len(means))
        for block in blocks:
            user_items, _ = select_lists(block, config)
            total += np.asarray(user_items.sum(0, dtype=np.float64)).ravel()
            number += user_items.getnnz(0)
        total, number = workers.sum(np.stack([total, number]))
        means[absent] = np.divide(total, number, out=np.full(len(means), np.nan), where=number > 0)[absent]
        print(f'{absent.sum()} titles have no mean score in ANIME_DATA; the mean of the lists is used')
    return means.astype(np.float32)


def sum_pairs(blocks, means, config, workers):
    """Return the pair sums W of the lists that count, float32 n x n, and two counts.

    blocks: iterable of csr_matrix user_items; means: n mean scores. The counts are how many lists score each
    title, n, and how many lists have each of the OUTCOMES.
    """
    sums = PairSums(means, config['MARGIN'])
    scored, outcomes = np.zeros(len(means)), np.zeros(len(OUTCOMES))
    for block in blocks:
        user_items, number = select_lists(block, config)
        outcomes += number
        scored += user_items.getnnz(0)
        sums.add(user_items)
    return workers.sum(sums.total()), workers.sum(scored), workers.sum(outcomes)


# ---- the target T -> vectors ---------------------------------------------------------------------


class PairIterator(mx.io.DataIter):
    """Feed the net with pairs of titles and their target: some titles against all at a time.

    target: float32 n x n; batch_size: titles a batch; seed: of the order of the titles.
    """

    def __init__(self, target, batch_size, seed, workers):
        super().__init__(min(batch_size, len(target)))
        self.target, self.workers = target, workers
        self.batches_per_epoch = -(-len(target) // (self.batch_size * workers.number))
        self.random = np.random.default_rng(seed)
        self.provide_data = [mx.io.DataDesc('titles', (self.batch_size,))]
        self.provide_label = [mx.io.DataDesc('target', (self.batch_size, len(target)))]
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


def embedding_net(n_titles, n_embedding, focus):
    """Return the net as an MXNet symbol: b titles and their targets (b x n) -> the loss of each title, b x 1.

    Each row of `embedding_weight` (n x d) is brought to unit length, v_i = e_i / |e_i|. The loss is
    1/n sum_j w_ij (v_i . v_j - T_ij)^2 with w_ij = 1 + focus max(0, T_ij): few of n titles are similar to
    a title, and these pairs matter most.
    """
    vectors = mx.sym.L2Normalization(mx.sym.var('embedding_weight', shape=(n_titles, n_embedding)))
    batch = mx.sym.Embedding(mx.sym.var('titles'), vectors, input_dim=n_titles, output_dim=n_embedding)
    target = mx.sym.var('target')
    error = mx.sym.dot(batch, vectors, transpose_b=True) - target
    losses = (1 + focus * mx.sym.relu(target)) * mx.sym.square(error)
    mean = mx.sym.full((n_titles, 1), 1 / n_titles)  # a product with it is much faster than mx.sym.mean
    return mx.sym.MakeLoss(mx.sym.dot(losses, mean), name='loss')


def initial_vectors(target, n_embedding, seed):
    """Return U L^1/2, the leading eigenvectors of the target times the roots of their eigenvalues, n x d.

    Apart from the unit length, no other vectors of d numbers are closer to the target (Eckart and Young,
    1936). With fewer titles than numbers, the other columns are noise. The eigenvectors are computed by
    subspace iteration from random vectors (Halko, Martinsson and Tropp, 2011), in a tenth of the time
    of Lanczos's method at 9,000 titles.
    """
    n = len(target)
    random = np.random.default_rng(seed)
    start = random.normal(0, 1e-3, (n, n_embedding)).astype(np.float32)
    basis = random.normal(size=(n, min(n, n_embedding + 20))).astype(np.float32)  # 20 to spare
    for _ in range(6):
        basis = np.linalg.qr(target @ basis)[0]
    values, rotation = np.linalg.eigh(basis.T @ (target @ basis))
    leading = np.argsort(-values)[:n_embedding]
    basis = basis @ rotation[:, leading]
    basis *= np.sign(basis[np.abs(basis).argmax(0), range(len(leading))])  # the sign is arbitrary otherwise
    start[:, : len(leading)] += basis * np.sqrt(np.maximum(values[leading], 0))
    return start


def train(target, config, workers):
    """Train the net on the target; return the vectors and the loss.

    The vectors are float32 n x N_EMBEDDING, rows of unit length. RunError if the training fails.
    """
    os.environ.setdefault('MXNET_SUBGRAPH_VERBOSE', '0')  # no line of MXNet's own between ours
    n, n_embedding, rate = len(target), config['N_EMBEDDING'], config['LEARNING_RATE']
    pairs = PairIterator(target, config['BATCH_SIZE'], config['SEED'], workers)
    off_diagonal = np.sqrt((np.linalg.norm(target) ** 2 - n) / (n * (n - 1)))  # root mean square
    net = mx.mod.Module(
        embedding_net(n, n_embedding, config['FOCUS'] / off_diagonal),
        ['titles'],
        ['target'],
        context=mx.gpu() if config['MX_CONTEXT'] == 'gpu' else mx.cpu(),
    )
    # At least 150 steps of Adam: with more, the loss of real lists falls by less than half a percent
    epochs = config['EPOCHS'] or max(3, -(-150 // pairs.batches_per_epoch))
    start = mx.nd.array(initial_vectors(target, n_embedding, config['SEED']))
    loss = mx.metric.Loss()
    schedule = mx.lr_scheduler.CosineScheduler(epochs * pairs.batches_per_epoch, rate, 0)
    bar = tqdm(
        total=epochs, desc='training', unit='epoch', delay=1, disable=None, dynamic_ncols=True, leave=False
    )

    def after_epoch(epoch, *_):
        value = loss.get()[1]
        if not np.isfinite(value):
            raise RunError(f'the loss is {value} after epoch {epoch + 1}; use a smaller LEARNING_RATE.')
        bar.set_postfix(loss=f'{value:.6f}', refresh=False)
        bar.update()

    with bar, InterruptBetween() as interrupt:
        net.fit(
            pairs,
            num_epoch=epochs,
            eval_metric=loss,
            epoch_end_callback=after_epoch,
            batch_end_callback=interrupt.check,
            kvstore=workers.store or 'local',
            arg_params={'embedding_weight': start},
            optimizer='adam',
            optimizer_params={'learning_rate': rate, 'lr_scheduler': schedule},
        )
    return unit_vectors(net.get_params()[0]['embedding_weight'].asnumpy()), round(float(loss.get()[1]), 6)


class InterruptBetween:
    """Delay Ctrl-C until check() is called.

    Python loses a KeyboardInterrupt that is raised in the destructor of one of MXNet's arrays.
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
    """Return the rows of the embedding at unit length; RunError if they are no longer numbers."""
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise RunError('the vectors are no longer numbers; use a smaller LEARNING_RATE.')
    return weights / lengths


# ---- outputs -------------------------------------------------------------------------------------


def vectors_frame(vectors, ids, scored, expected, means, kept):
    """Return the vectors as the DataFrame of embeddings.pkl, with what recommend.py also needs in its attrs.

    These are each title's `mean` score and `popularity`, (expected_i + 1) / mean(scored + 1), the ids of the
    titles that are `unscored` by all, and how many `lists`.
    """
    popularity = (expected + 1) / np.mean(scored + 1)
    frame = pd.DataFrame(vectors, index=pd.Index(ids, name='mal_id'))
    frame.attrs = {
        'mean': dict(zip(ids, means.tolist())),
        'popularity': dict(zip(ids, popularity.tolist())),
        'unscored': [mal_id for mal_id, count in zip(ids, scored) if count == 0],
        'lists': kept,
    }
    return frame


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
    print('\nNearest titles (similarity at most 1; 0: nothing in common):')
    for mal_id in anime.index[titles.by_popularity(anime)[:5]]:
        print(f'\n{anime.title[mal_id]}')
        for row in neighbours[neighbours.mal_id == mal_id].head(3).itertuples():
            print(f'  {row.similarity:.2f}  {row.neighbour_title}')


def main(arguments):
    """Run from NAME=value arguments to the files in OUTPUT_DIR."""
    if {'-h', '--help'} & set(arguments):
        print(__doc__)
        return
    config = settings.read(arguments, {**similarity_map.SETTINGS, **SETTINGS})
    if config['MX_CONTEXT'] == 'gpu' and not mx.context.num_gpus():
        raise UsageError("MX_CONTEXT is 'gpu', but MXNet finds no GPU or was built without CUDA; use 'cpu'.")
    distributed = config['KVSTORE'] == 'dist_sync'
    with join_workers(mx, config['KVSTORE']) if distributed else Workers() as workers:
        anime, neighbours = learn(config, workers)
        if workers.rank == 0:  # the first worker alone writes
            drawn = similarity_map.draw(config)
            print_neighbours(anime, neighbours)
            print(f'\nAll results are in {config["OUTPUT_DIR"]}: ' + ', '.join(sorted([*NAMES, *drawn])))


def learn(config, workers):
    """Learn the vectors from the lists and write them; return the title_table and the neighbour_table."""
    paths = ratings.find_files(config['ANIME_DATA_LIST'])
    print(f'reading {config["ANIME_DATA"]} and {config["ANIME_DATA_LIST"]}', flush=True)
    lists = ratings.read_lists(paths)
    nodes = read_nodes(lists, config)
    ids = list(nodes)
    similarity_map.check_sizes(config, len(ids))
    like = read_earlier(config['LIKE'], ids, config['N_EMBEDDING']) if config['LIKE'] else None
    anime = titles.title_table(nodes, config['ANIME_DATA'])
    if workers.rank == 0:
        files.make_folder(config['OUTPUT_DIR'], 'OUTPUT_DIR')

    part = ids, workers.rank, workers.number
    means = title_means(anime, lists.blocks(*part), config, workers)
    sums, scored, outcomes = sum_pairs(lists.blocks(*part), means, config, workers)
    del lists  # large, and not needed any more
    counts = dict(zip(OUTCOMES, map(int, outcomes)))
    print('lists: ' + ', '.join(f'{number:,} {outcome}' for outcome, number in counts.items()), flush=True)
    if not counts['kept']:
        raise RunError(
            f'no list of {config["ANIME_DATA_LIST"]} counts; look at MIN_ANIME_REQUIRED and BOTTER_LIMIT.'
        )
    vectors, means, expected, loss = learn_vectors(sums, scored, means, anime, config, workers)
    print(f'net: {len(ids):,} titles, {config["N_EMBEDDING"]} numbers each, loss {loss:.5f}')
    if like:
        vectors = turn(vectors, ids, like)
    neighbours = neighbour_table(anime, *nearest_titles(vectors, 10))
    if workers.rank == 0:
        versions = {'python': sys.version.split()[0], 'mxnet': mx.__version__, 'numpy': np.__version__}
        record = {name: config[name] for name in SETTINGS}
        write_output(
            config['OUTPUT_DIR'],
            vectors_frame(vectors, ids, scored, expected, means, counts['kept']),
            nodes,
            neighbours,
            {**record, 'versions': versions, 'lists': counts, 'loss': loss},
        )
    return anime, neighbours


def learn_vectors(sums, scored, means, anime, config, workers):
    """Return the vectors, the mean scores, the expected numbers of lists, and the loss.

    sums: W, n x n; scored: how many lists score each title. The net learns the titles that lists score; the
    features of the others say where they belong.
    """
    matrix = features.feature_matrix(anime)
    trained = (scored > 0) | (matrix.getnnz(1) == 0)
    if np.count_nonzero(scored) < MIN_TITLES:
        raise RunError(
            f'the lists score {np.count_nonzero(scored)} of the titles; at least {MIN_TITLES} are needed.'
        )
    if not trained.all():
        sums = sums[np.ix_(trained, trained)]
    target = target_of(sums, config['COMMON'], config['POWER'], config['RIDGE'])
    if not target.mean() < 0.45:
        raise RunError(
            f'all titles are alike to the lists (mean similarity {target.mean():.3f}); use a smaller '
            'MARGIN, or more lists.'
        )
    features.mix_similarity(target, matrix[trained], scored[trained])
    vectors = np.zeros((len(scored), config['N_EMBEDDING']), np.float32)
    vectors[trained], loss = train(target, config, workers)
    return *features.complete(vectors, means, scored, matrix), loss


def read_nodes(lists, config):
    """Return what ANIME_DATA says of the titles of ANIME_LIST, a dict MAL id -> node in their order.

    With ANIME_LIST = '', these are the TOP titles of the lists.
    """
    nodes = titles.read_nodes(config['ANIME_DATA'])
    if config['ANIME_LIST']:
        ids, source = titles.read_ids(config['ANIME_LIST']), f'ANIME_LIST ({config["ANIME_LIST"]}) has'
    else:
        ids = lists.most_scored(nodes, config['TOP'])
        source = f'{config["ANIME_DATA_LIST"]} and ANIME_DATA share'
    if len(ids) < MIN_TITLES:
        raise RunError(f'{source} {len(ids)} titles; at least {MIN_TITLES} are needed.')
    return titles.select_nodes(nodes, ids, config['ANIME_DATA'])


if __name__ == '__main__':
    files.end_imports()
    main(sys.argv[1:])
