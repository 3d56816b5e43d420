#!/usr/bin/env python3
"""AniEmbed: from what people scored to 50 numbers a title, a map, each title's nearest, and recommendations.

Reads    ANIME_LIST       the titles: one MyAnimeList id a line
         ANIME_DATA       what the API says of them: JSON, id -> node
         ANIME_DATA_LIST  the lists: a pandas DataFrame pickle, users x ids, or a pattern of several
Writes   into OUTPUT_DIR  embeddings.pkl, neighbours.csv, settings.json, similarity_map.png, graph.json,
         and recommendations.csv where RECOMMEND_FOR names a person

Edit the globals below, or give any of them for one run:

    python3 embeddings.py EPOCHS=40 OUTPUT_DIR=try

Exit status: 0 done; 2 a global is wrong; 3 a library is missing, or MXNet cannot run on this Python or numpy; 4 an input
is missing or unreadable; 5 ANIME_LIST or ANIME_DATA is wrong; 6 ANIME_DATA_LIST is wrong; 7 too little is left to learn
from; 8 the training failed or memory ran out; 9 the output cannot be written; 10 RECOMMEND_FOR cannot be found or
read; 11 another machine of this run is gone; 130 stopped by Ctrl-C.
"""
import sys

if not (3, 9) <= sys.version_info[:2] <= (3, 12):
    print('AniEmbed needs Python 3.9 to 3.12, the versions that MXNet 1.9.1 runs on; this is Python {}.{}. Either '
          'use one of these, or let uv bring its own:\n    uv run --python 3.12 --with-requirements requirements.txt '
          'embeddings.py'.format(*sys.version_info[:2]), file=sys.stderr)
    sys.exit(3)

import importlib.util
import os
import signal

missing = [name for name in ('numpy', 'mxnet', 'pandas', 'scipy', 'sklearn', 'matplotlib', 'textalloc', 'PIL', 'defusedxml',
                             'requests', 'tqdm') if not importlib.util.find_spec(name)]
if missing:
    print(f'embeddings.py needs {", ".join(missing)}: source .venv/bin/activate if they are in there, or pip install -r '
          'requirements.txt', file=sys.stderr)
    sys.exit(3)


def stop_importing(*state):
    print('Stopped before anything was begun.', file=sys.stderr)
    os._exit(130)


if __name__ == '__main__' and signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell's & has it ignored
    signal.signal(signal.SIGINT, stop_importing)  # the imports below take seconds

import atexit
import base64
import bz2
import difflib
import functools
import glob
import gzip
import io
import itertools
import json
import logging
import lzma
import pickle
import re
import reprlib
import resource
import tempfile
import textwrap
import threading
import time
import warnings
import zipfile
import zlib
from concurrent import futures
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Listener

import numpy as np

if int(np.__version__.split('.')[0]) >= 2:
    print(f"MXNet 1.9.1 cannot run on numpy {np.__version__}, only below 2. Either run pip install 'numpy<2', or:\n"
          '    uv run --python 3.12 --with-requirements requirements.txt embeddings.py', file=sys.stderr)
    sys.exit(3)
for alias in (bool, object, int, float, complex, str):
    # numpy 1.24 removed these names of Python's own types; MXNet 1.9.1 still asks for them while it is imported.
    if alias.__name__ not in vars(np):
        setattr(np, alias.__name__, alias)

import defusedxml.ElementTree
import matplotlib
os.environ.setdefault('MXNET_SUBGRAPH_VERBOSE', '0')  # no line of MXNet's own between ours
role = os.environ.pop('DMLC_ROLE', None)  # in a scheduler or server the import itself would run that role, and never return
import mxnet as mx
if role:
    os.environ['DMLC_ROLE'] = role
import pandas as pd
import requests
import sklearn
import textalloc
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from PIL import Image, ImageOps
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import eigsh
from scipy.spatial import cKDTree
from sklearn import decomposition, manifold
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits
from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------
# Files
ANIME_LIST = 'test-data/animelist.txt'          # one MAL id a line; this order is the order of the vectors
ANIME_DATA = 'test-data/animes.json'            # titles, means, genres: MAL id -> node of the API
ANIME_DATA_LIST = 'test-data/dataframe.pkl.gz'  # the lists, .gz .xz .bz2 .zip too; lists-*.pkl reads several in turn
OUTPUT_DIR = 'output'                           # folder that the results go to; made if it is not there
COVERS_DIR = 'covers'                           # folder that keeps the cover pictures of ANIME_DATA; '' draws none
# Which lists count
MIN_ANIME_REQUIRED = 15   # scores among the titles that a list must have, 1 or more; more keeps fewer, fuller lists
BOTTER_LIMIT = 9.9        # lists with a mean score above this say nothing and are dropped; 1 to 10
# The similarity index
MARGIN = 2.0              # points below a title's mean at which liking begins, 0 to 10; larger counts who saw, smaller who loved
COMMON = 0.75             # share of the direction common to all titles that is taken out, 0 to 1; more sets titles further apart
POWER = 0.65              # of the index, above 0 to 1; smaller lifts faint similarities
# The net
TRAIN = True              # False takes the vectors that OUTPUT_DIR already holds
N_EMBEDDING = 50          # numbers a title, 2 or more
EPOCHS = 30               # passes over all pairs of titles, 1 or more
FOCUS = 0.3               # weight that similar pairs have over others, 0 or more; 0 weighs all alike
LEARNING_RATE = 0.02      # Adam's step at the start, above 0 to 1; it sinks to nothing along a cosine
BATCH_SIZE = 200          # titles a batch, each against all titles, 1 or more; larger is faster and wants more memory
SEED = 7                  # any whole number from 0 up; the same seed and inputs give the same files
MX_CONTEXT = 'cpu'        # where MXNet computes: 'cpu' or 'gpu'
KVSTORE = 'local'         # 'local' is this machine alone; 'dist_sync' shares the work through MXNet's parameter server
# The map
PERPLEXITY = 0.0          # t-SNE: neighbours that each title attends to, fewer than there are titles; 0 fits it to their number
N_CLUSTERS = 0            # groups of titles that are coloured and named, up to 50; 0 fits it to the number of titles
MAP_WIDTH = 3200          # pixels, 2400 or more; from 300 titles on the map grows up to twice as wide
COVER_WORKERS = 8         # covers fetched at the same time, 1 to 32
COVER_TIMEOUT = 5.0       # seconds that a picture server may be silent, above 0
# Recommendations
RECOMMEND_FOR = ''        # a username of ANIME_DATA_LIST or a list exported from MyAnimeList (.xml, .xml.gz); '' for nobody
# ----------------------------------------------------------------------------------------------------------------

# So nothing in capitals may be imported by its bare name above.
SETTINGS = [name for name in globals() if name.isupper()]
# The smallest and largest value of each number, or all values; the other globals are names.
LIMITS = {
    'MIN_ANIME_REQUIRED': (1, 10 ** 6), 'BOTTER_LIMIT': (1.0, 10.0), 'MARGIN': (0.0, 10.0), 'COMMON': (0.0, 1.0),
    'POWER': (0.01, 1.0), 'TRAIN': [True, False], 'N_EMBEDDING': (2, 10 ** 4), 'EPOCHS': (1, 10 ** 9), 'FOCUS': (0.0, 100.0),
    'LEARNING_RATE': (1e-9, 1.0), 'BATCH_SIZE': (1, 10 ** 6), 'SEED': (0, 2 ** 31 - 1), 'MX_CONTEXT': ['cpu', 'gpu'],
    'KVSTORE': ['local', 'dist_sync'], 'PERPLEXITY': (0.0, 1e4), 'N_CLUSTERS': (0, 50), 'MAP_WIDTH': (2400, 20000),
    'COVER_WORKERS': (1, 32), 'COVER_TIMEOUT': (0.1, 60.0)}
MAY_BE_EMPTY = ('COVERS_DIR', 'RECOMMEND_FOR')
WELL_KNOWN = 5         # titles whose nearest are printed at the end
NEAREST = 10           # neighbours a title in neighbours.csv and graph.json
RECOMMENDATIONS = 20   # titles in recommendations.csv
REASONS = 3            # titles of the person's that are named beside each
MAX_EXPORT = 64 << 20  # bytes of an exported list; 20,000 entries take 10 MB
MAX_COVER_BYTES = 5 << 20    # the largest file taken for a cover; MyAnimeList's are below 200 kB
MAX_COVER_PIXELS = 10 << 20  # the most pixels of one; MyAnimeList's have below 400,000
PAPER, INK = '#fbf7ef', '#2b2723'  # the map's background and type
# Paul Tol's "muted" qualitative scheme (2021), made for all kinds of colour vision, in an order that keeps likes apart
COLOURS = '#cc6677 #332288 #ddcc77 #117733 #88ccee #882255 #44aa99 #999933 #aa4499'.split()
MIN_TITLES = 5         # fewer titles than this have no map worth the name
ROWS = 2048            # lists a block: large enough for a fast matrix product, small beside the DataFrame

STORE = None           # the MXNet key-value store of a run on several machines,
ROLL_CALL = None       # and what tells this process when another one dies
WRITTEN = []           # the files that this run has written into OUTPUT_DIR
SUMS = itertools.count()  # numbers the sums that go through STORE, so that each has a key of its own

progress_bar = functools.partial(tqdm, disable=None, dynamic_ncols=True)  # None: silent where stderr is no terminal


class Problem(Exception):
    """What ends a run: an exit status and a sentence for the user."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


@contextmanager
def whole_file(path):
    """A binary file to write, which takes the place of `path` only when it is complete; Problem 9 if it fails."""
    try:
        with open(f'{path}.part', 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(f'{path}.part', path)
        if os.path.dirname(path) == OUTPUT_DIR:
            WRITTEN.append(os.path.basename(path))
    except OSError as error:
        raise Problem(9, f'{path} cannot be written: {error.strerror or error}; what was there before is unchanged') from None
    finally:
        with suppress(FileNotFoundError):
            os.remove(f'{path}.part')


# ---- settings --------------------------------------------------------------------------------------------------

def apply_arguments(arguments):
    """Set globals from NAME=value arguments, then check every global; Problem 2 says what would be right."""
    for argument in arguments:
        name, equals, text = argument.partition('=')
        if name in SETTINGS and not equals:
            raise Problem(2, f'{name} needs its value without spaces: {name}={globals()[name]}')
        if name not in SETTINGS or not equals:
            close = difflib.get_close_matches(name.upper(), SETTINGS, 1)
            hint = f'did you mean {close[0]}?' if close else 'the globals are ' + ', '.join(SETTINGS)
            raise Problem(2, f'{argument!r} is not NAME=value with the name of a global: {hint}')
        kind = type(LIMITS.get(name, [''])[0])
        with suppress(KeyError, ValueError):  # what is left as text is found wrong below
            text = {'True': True, 'False': False}[text] if kind is bool else kind(text)
        globals()[name] = text
        print(f'{name} = {text!r}')
    for name in SETTINGS:
        value, limits = globals()[name], LIMITS.get(name, [''])
        kind = type(limits[0])
        if kind is float and type(value) is int:
            value = globals()[name] = float(value)
        if isinstance(limits, tuple):
            right = type(value) is kind and limits[0] <= value <= limits[1]
            words = f'a {"whole " * (kind is int)}number from {limits[0]} to {limits[1]}'
        elif name in LIMITS:
            right, words = type(value) is kind and value in limits, ' or '.join(map(repr, limits))
        else:
            right, words = type(value) is str and (value or name in MAY_BE_EMPTY), 'the name of a file or folder in quotes'
        if not right:
            raise Problem(2, f'{name} is {value!r}, and should be {words}')
    if MX_CONTEXT == 'gpu' and not mx.context.num_gpus():
        raise Problem(2, "MX_CONTEXT is 'gpu', but MXNet finds none, or was built without CUDA; 'cpu' is right")
    if KVSTORE == 'dist_sync' and not TRAIN:
        raise Problem(2, "KVSTORE is 'dist_sync', which shares the training; with TRAIN = False 'local' is right")


# ---- several machines ------------------------------------------------------------------------------------------

class RollCall:
    """Tells every process of a run on several machines when one of them dies, which MXNet itself would wait for.

    Each process keeps a connection to the scheduler, one port above MXNet's own. A process that is done says so; a
    connection that ends without that word is a death, upon which the scheduler ends, and so everybody.
    """

    def __init__(self):
        self.role = os.environ['DMLC_ROLE']
        self.peers = []
        address = os.environ['DMLC_PS_ROOT_URI'], int(os.environ['DMLC_PS_ROOT_PORT']) + 1
        print(f'{self.role}: waiting for {os.environ["DMLC_NUM_SERVER"]} servers and {os.environ["DMLC_NUM_WORKER"]} '
              f'workers, with the scheduler at {address[0]}', flush=True)
        if self.role == 'scheduler':
            self.in_thread(self.accept, Listener(address, backlog=64))
        else:
            self.in_thread(self.listen, self.connect(address))

    @staticmethod
    def in_thread(function, *arguments):
        threading.Thread(target=function, args=arguments, daemon=True).start()

    def connect(self, address):
        for attempt in range(120):
            try:
                return Client(address)
            except OSError:
                time.sleep(0.5)
        raise Problem(11, f'no scheduler answers at {address[0]}, port {address[1]}')

    def accept(self, listener):
        while True:
            self.in_thread(self.listen, listener.accept())

    def listen(self, peer):
        self.peers.append(peer)
        try:
            peer.recv_bytes(8)  # bytes, never a pickle
        except (EOFError, OSError):
            print(f'embeddings.py: another machine of this run is gone, so the {self.role} ends too; start all of them '
                  'again', file=sys.stderr, flush=True)
            os._exit(11)

    def leave(self):
        for peer in self.peers:
            with suppress(OSError):  # whoever left before does not need to hear it
                peer.send_bytes(b'done')


def join_machines():
    """Take this process's role in a run on several machines: a worker returns with STORE set, the others never do."""
    global STORE, ROLL_CALL
    wanted = ('DMLC_ROLE', 'DMLC_PS_ROOT_URI', 'DMLC_PS_ROOT_PORT', 'DMLC_NUM_SERVER', 'DMLC_NUM_WORKER')
    missing = [name for name in wanted if not os.environ.get(name)]
    if missing:
        raise Problem(2, f"KVSTORE = 'dist_sync' needs the environment's {', '.join(missing)} (see the README)")
    ROLL_CALL = RollCall()
    if ROLL_CALL.role != 'worker':
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # inside MXNet's own loop Python would never see Ctrl-C
        atexit.register(ROLL_CALL.leave)
        mx.kvstore.kvstore_server.KVStoreServer(mx.kv.create('dist')).run()  # until all workers are done
        sys.exit()
    STORE = mx.kv.create(KVSTORE)


# ---- inputs ----------------------------------------------------------------------------------------------------

def read_text(name):
    """The text of the file that the global `name` names; Problem 4 if it cannot be read."""
    path = globals()[name]
    try:
        with open(path, encoding='utf-8-sig') as file:
            return file.read()
    except OSError as error:
        raise Problem(4, f'{name}, {path}, cannot be read: {error.strerror}') from None
    except UnicodeDecodeError:
        raise Problem(5, f'{name}, {path}, is not UTF-8 text') from None


def read_anime_list():
    """The MAL ids of ANIME_LIST as a list of int, in the file's order."""
    line_of = {}
    for number, line in enumerate(read_text('ANIME_LIST').splitlines(), 1):
        text = line.strip()
        if not (text.isascii() and text.isdigit() and 0 < int(text[:19]) < 2 ** 31):
            raise Problem(5, f'{ANIME_LIST}, line {number}: {line[:40]!r} is not a MAL id')
        if int(text) in line_of:
            raise Problem(5, f'{ANIME_LIST}, line {number}: id {text} stands already in line {line_of[int(text)]}')
        line_of[int(text)] = number
    if len(line_of) < MIN_TITLES:
        raise Problem(7, f'{ANIME_LIST} holds {len(line_of)} titles; the net and the map need {MIN_TITLES} or more')
    return list(line_of)


def read_anime_data(ids):
    """What ANIME_DATA says of the titles, as a DataFrame in the order of `ids` (a list of MAL ids).

    Columns: title, english, mean, popularity, picture, studios, genres (the last two lists of str), year,
    media_type; None where the node does not say.
    """
    try:
        nodes = json.loads(read_text('ANIME_DATA'))
    except (ValueError, RecursionError) as error:
        raise Problem(5, f'ANIME_DATA, {ANIME_DATA}, is no JSON: {error}') from None
    if not isinstance(nodes, dict):
        raise Problem(5, f'ANIME_DATA, {ANIME_DATA}, is no JSON object of MAL id -> title')
    missing = [str(mal_id) for mal_id in ids if str(mal_id) not in nodes]
    if missing:
        raise Problem(5, f'ANIME_DATA, {ANIME_DATA}, lacks {len(missing)} of the {len(ids)} titles of '
                         f'{ANIME_LIST if TRAIN else OUTPUT_DIR}: {", ".join(missing[:10])}')

    def text(value):
        """One line of what can be printed: no control codes of terminals."""
        return ' '.join(''.join(filter(str.isprintable, word)) for word in value.split())[:2000]

    rows = []
    for mal_id in ids:
        try:
            node = nodes[str(mal_id)]
            picture, season = node.get('main_picture') or {}, node.get('start_season') or {}
            numbers = [('mean', float, 10), ('popularity', int, 10 ** 9), ('year', int, 10 ** 4)]
            row = {'title': text(node['title']), 'english': text((node.get('alternative_titles') or {}).get('en') or ''),
                   'mean': node.get('mean'), 'popularity': node.get('popularity'),
                   'picture': text(picture.get('large') or picture.get('medium') or ''),
                   'studios': [text(studio['name']) for studio in (node.get('studios') or [])[:50]],
                   'genres': [text(genre['name']) for genre in (node.get('genres') or [])[:50]],
                   'year': season.get('year'), 'media_type': text(node.get('media_type') or '')}
            for name, kind, most in numbers:
                row[name] = None if row[name] is None else kind(row[name])
                if row[name] is not None and not 0 <= row[name] <= most:
                    raise ValueError(f'its {name} is {row[name]}')
            if not row['title']:
                raise ValueError('it has no title')
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise Problem(5, f'{ANIME_DATA}, id {mal_id} is not as the API gives it: '
                             f'{type(error).__name__}: {error!s:.60}') from None
        rows.append({name: None if value == '' else value for name, value in row.items()})
    return pd.DataFrame(rows, index=ids, dtype=object)


class Pickled:
    """What stands in a pickle for an object of numpy or pandas: the arguments and the state it is to have, none believed."""

    def __new__(cls, *arguments):
        pickled = super().__new__(cls)
        pickled.arguments, pickled.state = arguments, None
        return pickled

    def __setstate__(self, state):
        self.state = state


class DataFrameUnpickler(pickle._Unpickler):
    """Opens pickles of DataFrames and of nothing else: any other global is refused before it is looked up.

    Nothing of numpy or pandas is called either, as they believe what a pickle says of addresses and sizes in memory:
    each allowed name becomes a Pickled, of which data_frame() makes what it stands for. The base is the unpickler that
    is written in Python: the one in C would take keys that need forever to hash.
    """
    ALLOWED = {
        '__builtin__': {'slice'}, 'builtins': {'slice'}, 'numpy': {'_frombuffer', '_reconstruct', 'dtype', 'ndarray', 'scalar'},
        'pandas': {'DataFrame', 'BlockManager', '_unpickle_block', '_new_Index', 'Index', 'RangeIndex', 'Int64Index',
                   'UInt64Index', 'Float64Index', 'SparseArray', 'SparseDtype', 'IntIndex', 'BlockIndex',
                   '__pyx_unpickle_NDArrayBacked',
                   'StringArray', 'StringDtype', 'NA', 'IntegerArray', 'FloatingArray', 'Float32Dtype', 'Float64Dtype',
                   *(f'{sign}Int{bits}Dtype' for sign in ('', 'U') for bits in (8, 16, 32, 64))}}
    STAND_INS = {name: type(name, (Pickled,), {}) for names in ALLOWED.values() for name in names}
    STAND_INS.update(NA=pd.NA, scalar=lambda dtype, data: np.frombuffer(data, numpy_part(dtype))[0])

    def find_class(self, module, name):
        if (module, name) == ('_codecs', 'encode'):
            return lambda text, encoding: text.encode('latin-1')  # how protocol 2 stores bytes
        if name not in self.ALLOWED.get(module.split('.')[0], ()):  # their modules change from one version to the next
            raise Problem(6, f'names {module:.40}.{name:.40}, which no table of scores needs; refused, nothing of it was run')
        return self.STAND_INS[name]

    def load_build(self):
        if not isinstance(self.stack[-2], Pickled):  # pd.NA would run its own __setstate__, and keep what it is given
            raise pickle.UnpicklingError('a state for what has none')
        super().load_build()

    def load_setitem(self):
        self.set_items(self.stack.pop(-2), self.stack.pop())

    def load_setitems(self):
        self.set_items(*self.pop_mark())

    def set_items(self, *items):
        if not all(isinstance(key, (str, int)) for key in items[::2]):
            raise pickle.UnpicklingError('a key that is neither a text nor a number')
        self.stack[-1].update(zip(items[::2], items[1::2]))

    dispatch = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: load_build, pickle.SETITEM[0]: load_setitem,
                pickle.SETITEMS[0]: load_setitems,
                pickle.BYTEARRAY8[0]: pickle._Unpickler.load_binbytes8}  # as bytes: a bytearray would be filled from a copy
    for code in (pickle.DICT, pickle.EMPTY_SET, pickle.FROZENSET):  # what protocol 0 and sets are made with
        del dispatch[code[0]]


def numpy_part(part):
    """The dtype, array or index that a Pickled stands for; ValueError and the like where it does not fit together."""
    kind, arguments, state = type(part).__name__, part.arguments, part.state
    if kind == 'dtype':
        if not re.fullmatch('[biufO][0-9]{0,2}', arguments[0]):
            raise ValueError(f'the column type {arguments[0]!r:.40} is not one of numbers or objects')
        return np.dtype(arguments[0]).newbyteorder(state[1])
    if kind == '_frombuffer':
        data, dtype, shape, order = arguments
        return np.frombuffer(data, numpy_part(dtype)).reshape(shape, order=order)
    if kind == '_reconstruct':
        _, shape, dtype, by_columns, data = state
        dtype = numpy_part(dtype)
        if dtype == object:
            return np.fromiter(data, object, len(data)).reshape(shape)  # numpy lists objects by rows in any case
        return np.frombuffer(data, dtype).reshape(shape, order='F' if by_columns else 'C')
    if kind == '__pyx_unpickle_NDArrayBacked':  # texts: their array is a part of the state
        return numpy_part(next(own for own in state if type(own).__name__ == '_reconstruct'))
    if kind in ('IntegerArray', 'FloatingArray'):
        return getattr(pd.arrays, kind)(numpy_part(state['_data']), numpy_part(state['_mask']))
    if kind == 'SparseArray':
        own, dtype = state['_sparse_index'], state['_dtype'].state
        index = getattr(pd._libs.sparse, type(own).__name__)(own.arguments[0], *map(numpy_part, own.arguments[1:]))
        return pd.arrays.SparseArray(numpy_part(state['_sparse_values']), sparse_index=index,
                                     fill_value=float(dtype['_fill_value']))
    if kind == '_new_Index':
        own = arguments[1]
        if arguments[0].__name__ == 'RangeIndex':
            return pd.RangeIndex(int(own['start']), int(own['stop']), int(own['step']))
        names = numpy_part(own['data'])
        if names.dtype == object and not all(name is pd.NA or isinstance(name, (str, int, float)) for name in names):
            raise ValueError('a name that is neither a text nor a number')
        return pd.Index(names, tupleize_cols=False)
    raise ValueError(f'a {kind} where numbers should be')


def data_frame(part):
    """The DataFrame that a Pickled stands for; ValueError and the like where its parts do not fit together."""
    if type(part).__name__ != 'DataFrame':
        raise Problem(6, 'holds no DataFrame')
    blocks, axes = part.state['_mgr'].arguments
    columns, index = map(numpy_part, axes)
    if len(columns) > 10 ** 6 or len(index) > 10 ** 8:  # a range or a sparse array of any length takes no bytes
        raise ValueError(f'{len(index)} lists of {len(columns)} titles are more than there are')
    pieces = []
    for block in blocks:
        array, places = numpy_part(block.arguments[0]), block.arguments[1]
        places = range(len(columns))[slice(*places.arguments)] if type(places).__name__ == 'slice' else numpy_part(places)
        pieces.append(pd.DataFrame(array.T if array.ndim == 2 else {places[0]: array}, index, places, copy=False))
    frame = pieces[0] if len(pieces) == 1 else pd.concat(pieces, axis=1).sort_index(axis=1)
    if not np.array_equal(frame.columns, np.arange(len(columns))):
        raise ValueError('columns are missing or there twice')
    frame.columns, frame.attrs = columns, part.state['attrs']
    return frame


def read_pickle(path, name='ANIME_DATA_LIST'):
    """The DataFrame in the pickle at `path`, plain or .gz, .xz, .bz2, .zip; Problem 4 or 6 with a sentence.

    The source of the pickle need not be trusted: see DataFrameUnpickler.
    """
    openers = {'.gz': gzip.open, '.xz': lzma.open, '.bz2': bz2.open}
    try:
        ending = os.path.splitext(path)[1]
        bar = {**progress_bar.keywords, 'desc': f'reading {os.path.basename(path)}', 'delay': 1, 'leave': False, 'miniters': None}
        with open(path, 'rb') as stored, tqdm.wrapattr(stored, 'read', os.path.getsize(path), **bar) as plain:
            if ending == '.zip':
                archive = zipfile.ZipFile(plain)
                file = archive.open(archive.namelist()[0])
            else:
                file = openers[ending](plain) if ending in openers else plain
            return data_frame(DataFrameUnpickler(file).load())
    except Problem as problem:
        raise Problem(6, f'{name}, {path}, {problem}') from None
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise Problem(4, f'{name}, {path}, cannot be read: {error.strerror}') from None
    except MemoryError:
        raise Problem(6, f'{name}, {path}, asks for more memory than there is') from None
    except Exception as error:  # a damaged pickle can end in an error of any type
        why = f': {error!s:.200}' if isinstance(error, (ValueError, pickle.UnpicklingError)) else ''
        raise Problem(6, f'{name}, {path}, is no pickle of a DataFrame, or is cut off, or is packed in another way than its name '
                         f'says{why}') from None


def read_vectors():
    """The DataFrame that an earlier run left in OUTPUT_DIR; Problem 4 or 6."""
    path = os.path.join(OUTPUT_DIR, 'embeddings.pkl')
    read = read_pickle(path, 'TRAIN = False: the vectors')
    try:
        frame = pd.DataFrame(read.to_numpy(np.float32), index=pd.Index(read.index, np.int64, name='mal_id')).copy()
        model = frame.attrs = {name: read.attrs[name] for name in ('mean', 'popularity', 'whitening', 'lists')}
        right = (frame.index.is_unique and len(frame) >= MIN_TITLES and np.allclose(np.linalg.norm(frame, axis=1), 1, atol=1e-3)
                 and all(0 <= model['mean'][mal_id] <= 10 and 0 < model['popularity'][mal_id] < 1e9 for mal_id in frame.index)
                 and [len(row) for row in model['whitening']] == [frame.shape[1]] * frame.shape[1]
                 and all(abs(value) < 1e9 for row in model['whitening'] for value in row) and type(model['lists']) is int)
    except (LookupError, OverflowError, TypeError, ValueError):
        right = False
    if not right:
        raise Problem(6, f'TRAIN = False: {path} does not hold what this script writes there; run it once with TRAIN = True')
    return frame


def list_files():
    """The files that ANIME_DATA_LIST names, sorted; Problem 4 if there is none."""
    paths = [ANIME_DATA_LIST] if os.path.exists(ANIME_DATA_LIST) else sorted(glob.glob(ANIME_DATA_LIST))
    if not paths:
        raise Problem(4, f'ANIME_DATA_LIST, {ANIME_DATA_LIST}, names no file; lists_download.ipynb makes one')
    return paths


def read_lists(path, ids):
    """The DataFrame at `path` and the places of the titles `ids` among its columns (int array); Problem 6."""
    frame = read_pickle(path)
    place_of = {}
    for place, column in enumerate(frame.columns.tolist()):
        mal_id = int(column) if isinstance(column, str) and re.fullmatch('[0-9]{1,18}', column) else column
        if isinstance(mal_id, (int, float)) and place_of.setdefault(mal_id, place) != place:
            raise Problem(6, f'{path} has two columns for the title {mal_id}')
    missing = [str(mal_id) for mal_id in ids if mal_id not in place_of]
    if missing:
        raise Problem(6, f'{path} has no column for {len(missing)} ids of ANIME_LIST: {", ".join(missing[:10])}')
    return frame, np.array([place_of[mal_id] for mal_id in ids])


def scores_of(frame, places, start, stop):
    """Rows start to stop of the lists as float32 scores, lists x titles; NaN where a title is not on the list."""
    part = frame.iloc[start:stop]
    if not np.array_equal(places, np.arange(part.shape[1])):
        part = part.iloc[:, places]
    numeric = all(pd.api.types.is_numeric_dtype(dtype) and dtype != bool for dtype in part.dtypes.unique())
    try:
        if not numeric and pd.api.types.infer_dtype(part.to_numpy(object).ravel()) not in (
                'integer', 'floating', 'mixed-integer-float', 'empty'):
            raise TypeError('numpy would take the text 9 for the number')
        with np.errstate(over='ignore'):  # what is too large for a float32 is found below
            scores = part.to_numpy(np.float32, na_value=np.nan)
        wrong = (scores < 0) | (scores > 10)
    except (OverflowError, TypeError, ValueError):
        wrong = np.array([[not (score is None or score is pd.NA or isinstance(score, (int, float, np.number))
                                and not isinstance(score, bool) and not abs(score) > 10) for score in row]
                          for row in part.to_numpy(object)])
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise Problem(6, f'scores are numbers from 0 to 10: {part.index[row]!r:.40} has '
                         f'{reprlib.repr(part.iat[row, column])} for the title {part.columns[column]}')
    return scores


def score_blocks(paths, ids, counts):
    """Yield the lists that count, block by block, as float32 arrays lists x titles (0 where there is no score).

    paths: files of lists; ids: MAL ids of the titles; counts: dict that is filled with how many lists were read,
    kept, and dropped for which reason. With KVSTORE = 'dist_sync' each worker takes its share of the files, or of the
    blocks where there are fewer files than workers.
    """
    counts.update({'read': 0, 'kept': 0, 'dropped: too few scores': 0, 'dropped: mean too high': 0,
                   'dropped: all scores alike': 0})
    rank, workers = (STORE.rank, STORE.num_workers) if STORE else (0, 1)
    share_files = len(paths) >= workers
    for path in paths[rank::workers] if share_files else paths:
        frame, places = read_lists(path, ids)
        starts = range(0, len(frame), ROWS)
        for start in progress_bar(starts if share_files else starts[rank::workers],
                                  desc=f'lists of {os.path.basename(path)}', unit_scale=ROWS, unit='list', leave=False):
            try:
                scores = scores_of(frame, places, start, start + ROWS)
            except Problem as problem:
                raise Problem(6, f'{path}: {problem}') from None
            scores = np.where(scores > 0, scores, np.float32(0))
            number = np.count_nonzero(scores, axis=1).astype(np.float64)
            total = scores.sum(1, dtype=np.float64)
            few = number < MIN_ANIME_REQUIRED
            high = ~few & (total > BOTTER_LIMIT * number)
            alike = ~few & ~high & (total == scores.max(1) * number)  # none is larger, so all are equal
            keep = ~(few | high | alike)
            for reason, rows in zip(counts, (np.ones_like(few), keep, few, high, alike)):
                counts[reason] += int(rows.sum())
            yield scores if keep.all() else scores[keep]
        del frame  # before the next file is read: memory holds one file at a time


def fill_means(anime, paths):
    """The mean score of every title as a float32 array: ANIME_DATA's, else the mean in the lists, else 5.5."""
    means = anime['mean'].to_numpy(np.float64, na_value=np.nan)
    absent = np.flatnonzero(np.isnan(means))
    if len(absent):
        total, number = np.zeros(len(means)), np.zeros(len(means))
        for scores in score_blocks(paths, list(anime.index), {}):
            total += scores.sum(0, dtype=np.float64)
            number += np.count_nonzero(scores, axis=0)
        total, number = sum_over_workers(np.stack([total, number]))
        means[absent] = np.where(number > 0, total / np.maximum(number, 1), 5.5)[absent]
        print(f'{len(absent)} titles have no mean score in ANIME_DATA; theirs is taken from the lists')
    return means.astype(np.float32)


# ---- the similarity index, and the iterator that hands it to the net -------------------------------------------

def similarity_index(words):
    """The similarity of all titles, float32 n x n with a diagonal of 1, from the lists' summed words on each pair.

    words: W_ij = sum_u sqrt(o_ui o_uj) / sum_k o_uk, float32 n x n; it is overwritten. In DESIGN's notation, with four
    steps more (what each brought is in the README, "How good is it?"): each list's word is divided by its sum of offsets,
    COMMON of the direction that all titles share is taken out, the POWER lifts what is faint, and every title's
    neighbours are brought to comparable height.
    """
    def brought_to_one(matrix):
        alone = np.sqrt(np.maximum(matrix.diagonal(), 1e-12))
        matrix /= alone
        matrix /= alone[:, None]
        np.fill_diagonal(matrix, 1)
        return matrix

    similarity = brought_to_one(words)  # S_ij = W_ij / sqrt(W_ii W_jj), in [0, 1]
    value, shared = eigsh(similarity, 1, v0=np.ones(len(similarity), np.float32))
    # C = S - COMMON l u u^T, with l the largest eigenvalue of S and u its eigenvector; brought to a diagonal of 1 again
    for row, weight in zip(similarity, COMMON * value * shared[:, 0]):
        row -= weight * shared[:, 0]
    centred = brought_to_one(similarity)
    # T_ij = sign(C_ij) |C_ij|^POWER
    for row in centred:
        np.copysign(np.abs(row) ** np.float32(POWER), row, out=row)
    # T_ij / sqrt(r_i r_j), 1 at most, with r_i the similarity of i's fifth nearest title relative to that of the others
    fifth = np.array([np.partition(row, -6)[-6] for row in centred]) if len(centred) > 5 else np.ones(len(centred))
    height = np.sqrt(np.maximum(fifth, 0.02))
    height = (height / np.exp(np.log(height).mean())).astype(np.float32)
    for row, own in zip(centred, height):
        np.minimum(row / (height * own), 1, out=row)
    np.fill_diagonal(centred, 1)
    return centred


class PairIterator(mx.io.DataIter):
    """Sums the similarity index over the lists in one pass, then hands out blocks of pairs: some titles x all titles.

    blocks: iterable of float32 arrays lists x titles, 0 where there is no score; means: n mean scores;
    batch_size: titles a batch. After construction `similarity` is the index, float32 n x n, and `scorers` how many lists
    score each title.
    """

    def __init__(self, blocks, means, batch_size):
        super().__init__(min(batch_size, len(means)))
        n = len(means)
        words, self.scorers = np.zeros((n, n), np.float32), np.zeros(n)
        for scores in blocks:
            scored = scores > 0
            self.scorers += scored.sum(0)
            # o_ui = max(0, s_ui - m_i + MARGIN), 0 where u did not score i
            offsets = np.maximum(scores - (means - np.float32(MARGIN)), 0)
            offsets *= scored
            # Every list's word weighs 1 in all, or one list of 2,000 titles would outweigh forty of 50.
            offsets /= np.maximum(offsets.sum(1, keepdims=True), 1e-6)
            roots = np.sqrt(offsets, out=offsets)
            # sum_u sqrt(o_ui o_uj) / sum_k o_uk; where one in fifty titles or fewer is scored, the sparse product is faster
            if np.count_nonzero(roots) < roots.size / 50:
                sparse = csr_matrix(roots)
                product = (sparse.T @ sparse).tocoo()
                words[product.row, product.col] += product.data
            else:
                words += roots.T @ roots
        self.scorers = sum_over_workers(self.scorers)
        self.similarity = similarity_index(sum_over_workers(words))
        rank, workers = (STORE.rank, STORE.num_workers) if STORE else (0, 1)
        self.share = slice(rank, None, workers)
        self.batches_a_pass = -(-n // (self.batch_size * workers))
        self.random = np.random.default_rng(SEED)
        self.provide_data = [mx.io.DataDesc('titles', (self.batch_size,))]
        self.provide_label = [mx.io.DataDesc('similarity', (self.batch_size, n))]
        self.reset()

    def reset(self):
        """Begin another pass, in another order of the titles."""
        n, workers = len(self.similarity), self.share.step
        # Rounded up to whole batches with titles from the front, so that every batch has the shape the net is bound to.
        order = np.resize(self.random.permutation(n), self.batches_a_pass * workers * self.batch_size)
        self.batches = iter(order.reshape(-1, self.batch_size)[self.share])

    def next(self):
        titles = next(self.batches)
        return mx.io.DataBatch([mx.nd.array(titles)], [mx.nd.array(self.similarity[titles])], pad=0)


def sum_over_workers(array):
    """The float32 sum of the workers' arrays of one shape, through the parameter server; the array itself if alone."""
    if STORE is None:
        return array
    key = f'sum{next(SUMS)}'
    summed = mx.nd.array(array)
    STORE.init(key, mx.nd.zeros_like(summed))
    STORE.push(key, summed)
    STORE.pull(key, summed)
    return summed.asnumpy()


# ---- the net ---------------------------------------------------------------------------------------------------

def embedding_net(n_titles, n_embedding, focus):
    """The net as an MXNet symbol: titles (b) and their similarity to all titles (b x n) -> the loss of each (b).

    Each title's row of `embedding_weight` (n x d) is brought to unit length, v_i = e_i / |e_i|; the loss is the weighted
    mean square 1/n sum_j w_ij (v_i . v_j - T_ij)^2 with w_ij = 1 + focus max(0, T_ij): among n titles a few are near,
    and these are what the vectors are for.
    """
    vectors = mx.sym.L2Normalization(mx.sym.var('embedding_weight', shape=(n_titles, n_embedding)))
    own = mx.sym.Embedding(mx.sym.var('titles'), vectors, input_dim=n_titles, output_dim=n_embedding)
    wanted = mx.sym.var('similarity')
    error = mx.sym.dot(own, vectors, transpose_b=True) - wanted
    return mx.sym.MakeLoss(mx.sym.mean((1 + focus * mx.sym.relu(wanted)) * mx.sym.square(error), axis=1), name='loss')


def first_vectors(similarity):
    """The leading eigenvectors of T, each times the root of its eigenvalue: the best start of N_EMBEDDING numbers.

    Rows of (U L^1/2) are the closest to T that N_EMBEDDING numbers without unit length can be (Eckart and Young, 1936).
    With fewer titles than numbers, the rest begins as noise alone.
    """
    n = len(similarity)
    start = np.random.default_rng(SEED).normal(0, 1e-3, (n, N_EMBEDDING))
    values, vectors = eigsh(similarity, min(n - 1, N_EMBEDDING), v0=np.ones(n, similarity.dtype))
    start[:, :len(values)] += (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1]
    return start.astype(np.float32)


def train(pairs):
    """Train the net on a PairIterator; returns the vectors, float32 n x N_EMBEDDING with rows of unit length, and the loss.

    Problem 8 if the loss is no number, or the vectors all point the same way.
    """
    mx.random.seed(SEED)
    n = len(pairs.similarity)
    context = mx.gpu() if MX_CONTEXT == 'gpu' else mx.cpu()
    off_diagonal = np.sqrt((np.square(np.linalg.norm(pairs.similarity)) - n) / (n * (n - 1)))  # root mean square
    net = mx.mod.Module(embedding_net(n, N_EMBEDDING, FOCUS / off_diagonal), ['titles'], ['similarity'], context=context)
    steps = EPOCHS * pairs.batches_a_pass
    schedule = mx.lr_scheduler.CosineScheduler(steps, LEARNING_RATE, 0)
    bar = progress_bar(total=EPOCHS, desc='training', unit='pass', delay=1, leave=False)
    loss = mx.metric.Loss()

    def after_pass(epoch, *state):
        value = loss.get()[1]
        if not np.isfinite(value):
            raise Problem(8, f'the loss is {value} after pass {epoch + 1}: LEARNING_RATE = {LEARNING_RATE} is too large')
        bar.set_postfix(loss=f'{value:.6f}', refresh=False)
        bar.update()

    def after_batch(state):
        if stopped.is_set():
            raise KeyboardInterrupt

    # Python drops a KeyboardInterrupt that falls into the __del__ of one of MXNet's many arrays: so Ctrl-C waits for the batch.
    stopped, handler = threading.Event(), signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # a shell's & has it ignored
        signal.signal(signal.SIGINT, lambda *state: stopped.set())
    try:
        with bar:
            net.fit(pairs, num_epoch=EPOCHS, eval_metric=loss, epoch_end_callback=after_pass, batch_end_callback=after_batch,
                    kvstore=STORE or 'local',
                    arg_params={'embedding_weight': mx.nd.array(first_vectors(pairs.similarity))},
                    optimizer='adam', optimizer_params={'learning_rate': LEARNING_RATE, 'lr_scheduler': schedule})
    finally:
        signal.signal(signal.SIGINT, handler)
    vectors = net.get_params()[0]['embedding_weight'].asnumpy()
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise Problem(8, f'the vectors grew beyond all numbers: LEARNING_RATE = {LEARNING_RATE} is too large')
    vectors /= lengths
    alike = float(np.square(np.linalg.norm(vectors.mean(0))))  # the mean of v_i . v_j over all pairs
    if not alike < 0.98:
        raise Problem(8, f'all vectors point the same way (their mean dot product is {alike:.3f}): the lists do not '
                         'tell the titles apart')
    return vectors, round(float(loss.get()[1]), 6)


# ---- the nearest titles, and recommendations -------------------------------------------------------------------

def nearest_titles(vectors, number):
    """The `number` titles with the largest dot product to each title, itself left out, best first.

    vectors: float32 n x d, rows of unit length. Returns places (int n x number) and similarities (float32, same shape).
    Exact: every product is computed, a block of titles at a time.
    """
    search = NearestNeighbors(n_neighbors=min(number, len(vectors) - 1), metric='cosine', algorithm='brute').fit(vectors)
    distances, places = search.kneighbors()
    return places, 1 - distances


def recommendation_model(vectors, scorers, means):
    """What recommend() needs beside the vectors, to be their attrs: each title's mean score and popularity, and `whitening`.

    p_i = (scorers_i + 1) / their mean. whitening = U (L + 20 mean(p^0.5) I)^-1/2 with Z^T Z = U L U^T, z_i = p_i^0.25 v_i:
    the directions in which the popular titles crowd are shortened, as ridge regression does.
    """
    popularity = (scorers + 1) / np.mean(scorers + 1)
    scaled = vectors.to_numpy(np.float64) * popularity[:, None] ** 0.25
    values, directions = np.linalg.eigh(scaled.T @ scaled)
    whitening = directions / np.sqrt(np.maximum(values, 0) + 20 * np.mean(popularity ** 0.5))
    return {'mean': dict(zip(vectors.index, means.tolist())), 'popularity': dict(zip(vectors.index, popularity.tolist())),
            'whitening': whitening.tolist()}


def evidence(vectors, scores):
    """What a person's titles say of every title: (known, weight, nearness, appeal), with affinity = weight @ nearness * appeal.

    vectors: the DataFrame of embeddings.pkl; scores as for recommend(); ValueError if no known title has a score. `known` are
    the k ids j that the vectors have with a score; weight (k), appeal (n) and what nearness(rows) returns for some of
    `known` (a slice; rows x n) are float32:

        weight_j = p_j^-0.25 e^(0.4 (s_j - m_j / 2))    nearness_ji = max(0, y_j . y_i)^g    appeal_i = p_i^0.5 e^(0.15 m_i)

    y_i is the whitened v_i at unit length; g = log10(n / 2), rounded, 1 at least: 2 at 100 titles, 3 at 1,000.
    """
    known = [mal_id for mal_id in scores if scores[mal_id] > 0 and mal_id in vectors.index]
    if not known:
        raise ValueError('none of the scores is of a title that the vectors know')
    ids, model = vectors.index.tolist(), vectors.attrs
    mean, popularity = (np.array([model[name][mal_id] for mal_id in ids], np.float32) for name in ('mean', 'popularity'))
    places = vectors.index.get_indexer(known)
    given = np.array([scores[mal_id] for mal_id in known], np.float32)
    whitened = vectors.to_numpy() @ np.array(model['whitening'], np.float32)
    whitened /= np.linalg.norm(whitened, axis=1, keepdims=True)

    def nearness(rows):
        products = whitened[places[rows]] @ whitened.T
        np.maximum(products, 0, out=products)
        near = products.copy()
        for _ in range(round(np.log10(len(vectors) / 2)) - 1):  # a power of floats would take ten times as long
            near *= products
        return near

    weight = np.exp(np.float32(0.4) * (given - mean[places] / 2)) / popularity[places] ** np.float32(0.25)
    return known, weight, nearness, np.sqrt(popularity) * np.exp(np.float32(0.15) * mean)


def recommend(vectors, scores, number=10):
    """The titles that suit one person best.

    vectors: the DataFrame of embeddings.pkl (with its attrs); scores: dict or Series MAL id -> score of the person, 1-10, 0
    for a title that is on the list without a score, NaN for one that is not on it. Returns a Series MAL id -> affinity,
    best first, without the titles on the list; number=None gives all of them. Ids that the vectors don't have are passed
    over; ValueError if no title that they have has a score.
    """
    scores = {mal_id: score for mal_id, score in dict(scores).items() if score >= 0}
    known, weight, nearness, appeal = evidence(vectors, scores)
    blocks = [slice(start, start + 64) for start in range(0, len(known), 64)]  # what a processor's cache holds
    affinity = pd.Series(sum(weight[rows] @ nearness(rows) for rows in blocks) * appeal, index=vectors.index, name='affinity')
    affinity = affinity.drop(list(scores), errors='ignore').sort_values(ascending=False, kind='stable')
    return affinity if number is None else affinity.head(number)


def exported_scores(path):
    """The scores in a list exported from MyAnimeList (.xml or .xml.gz): {MAL id: 0-10}, 0 where there is none."""
    try:
        with (gzip.open if path.lower().endswith('.gz') else open)(path, 'rb') as file:
            text = file.read(MAX_EXPORT + 1)
        if len(text) > MAX_EXPORT:
            raise ValueError(f'is larger than {MAX_EXPORT >> 20} MB')
        scores = {}
        for entry in defusedxml.ElementTree.fromstring(text, forbid_dtd=True).iter('anime'):
            score = entry.findtext('my_score', '').strip() or '0'
            if score not in map(str, range(11)):
                raise ValueError(f'holds the score {score!r:.40}')
            scores[int(entry.findtext('series_animedb_id', ''))] = int(score)
        if not scores:
            raise ValueError('holds no anime')
    except OSError as error:
        raise Problem(10, f'RECOMMEND_FOR, {path}, cannot be read: {error.strerror or error}') from None
    except defusedxml.DefusedXmlException:
        raise Problem(10, f'RECOMMEND_FOR, {path}, has a DTD, as no list exported from MyAnimeList does') from None
    except (EOFError, zlib.error, ValueError, defusedxml.ElementTree.ParseError) as error:
        raise Problem(10, f'RECOMMEND_FOR, {path}, is no anime list exported from MyAnimeList: {error}') from None
    return scores


def person_scores(ids):
    """The scores of the person that RECOMMEND_FOR names: {MAL id: 0-10}; Problem 10 if there is no such person."""
    if RECOMMEND_FOR.lower().endswith(('.xml', '.xml.gz')):
        return exported_scores(RECOMMEND_FOR)
    for path in list_files():
        frame, places = read_lists(path, ids)
        names = frame.index.astype(str).str.lower()
        row = np.flatnonzero(names == RECOMMEND_FOR.lower())
        if len(row):
            scores = scores_of(frame, places, row[0], row[0] + 1)[0]
            return {mal_id: float(score) for mal_id, score in zip(ids, scores) if score >= 0}
    raise Problem(10, f'RECOMMEND_FOR: there is no user {RECOMMEND_FOR!r} in {ANIME_DATA_LIST}')


# ---- the map ---------------------------------------------------------------------------------------------------

def by_popularity(anime):
    """The places of the titles, the most popular first; those without `popularity`, MAL's rank, last and in their order."""
    return np.argsort(anime['popularity'].astype(float).fillna(np.inf).to_numpy(), kind='stable')


def find_clusters(vectors, anime):
    """Group the titles in the space of the vectors, and name each group: labels (n int, 0 the largest), names by label.

    vectors: n x d, rows of unit length; anime: their rows of read_anime_data. k-means, where N_CLUSTERS does not say
    otherwise with about the cube root of n clusters, sixteen at most.
    """
    points = np.asarray(vectors, np.float64)
    count = N_CLUSTERS or round(min(16, 1.1 * len(points) ** (1 / 3)))
    with threadpool_limits(1):  # the order in which threads add up would show in the last digits
        labels = KMeans(min(count, len(np.unique(points.round(5), axis=0))), n_init=10, random_state=SEED).fit_predict(points)
    labels = np.argsort(np.argsort(-np.bincount(labels), kind='stable'))[labels]
    return labels, name_clusters(labels, points, anime)


def name_clusters(labels, points, anime):
    """The clusters' names, all different: one or two genres, or popular titles of the inner third where none stands out.

    A genre weighs p log(p / q), p its share of the cluster's titles and q of all (the summand of the Kullback-Leibler
    divergence): much for what is frequent inside and rare outside; less once other clusters are named by it.
    """
    genres = sorted(set().union(*anime['genres']))
    has = np.array([[genre in own for genre in genres] for own in anime['genres']], float)
    used, names = np.ones(len(genres)), []
    for k in range(labels.max() + 1):
        inside = np.flatnonzero(labels == k)
        central = inside[np.argsort(-(points[inside] @ points[inside].mean(0)), kind='stable')][:2 + len(inside) // 3]
        titles = [shorten(anime['title'].iloc[row], 22) for row in by_popularity(anime) if row in central]
        p, q = has[inside].mean(0), has.mean(0)
        weight = p * np.log(np.maximum(p, 1e-9) / np.maximum(q, 1e-9)) / used
        first = [g for g in np.argsort(-weight, kind='stable')[:2] if weight[g] > max(0.03, 0.45 * weight.max())]
        used[first] += 1
        name = ' & '.join([genres[g] for g in first] or titles[:2])
        name = f'{name}: {titles[0]}' if name in names else name
        names.append(f'{name} {k + 1}' if name in names else name)
    return names


def place_titles(vectors):
    """t-SNE (van der Maaten and Hinton 2008) by cosine distance: n x 2, turned to lie flat, its longer side 0 to 1."""
    n = len(vectors)
    perplexity = min(PERPLEXITY or max(1.0, min(30.0, n ** 0.5, (n - 1) / 3)), n - 1.01)
    with threadpool_limits(1):
        places = manifold.TSNE(metric='cosine', init='pca', learning_rate='auto', perplexity=perplexity,
                               random_state=SEED).fit_transform(np.asarray(vectors, np.float32)).astype(np.float64)
    places = decomposition.PCA(2).fit_transform(places)
    low, high = places.min(0), places.max(0)
    return (places - (low + high) / 2) / max((high - low).max(), 1e-12) + 0.5


def open_cover(content):
    """The picture in these bytes, RGB; ValueError unless it is a whole image of sane size."""
    try:
        picture = Image.open(io.BytesIO(content), formats=('JPEG', 'PNG', 'WEBP', 'GIF'))
        if picture.width * picture.height <= MAX_COVER_PIXELS and min(picture.size) >= 16:
            return picture.convert('RGB')
    except Exception as error:  # foreign bytes can fail in any way that Pillow's decoders know
        raise ValueError('no whole image') from error
    raise ValueError('no sane size')


def fetch_cover(url, path):
    """Fetch one cover into the file `path`, as a JPEG of at most 450 x 640 pixels; OSError or ValueError if there is none."""
    content, until = bytearray(), time.monotonic() + 4 * COVER_TIMEOUT
    with requests.get(url, stream=True, timeout=COVER_TIMEOUT) as answer:  # http and https only, redirects too
        answer.raise_for_status()
        for piece in answer.iter_content(1 << 16):
            content += piece
            if len(content) > MAX_COVER_BYTES or time.monotonic() > until:
                raise ValueError('too large or too slow')
    picture = open_cover(bytes(content))
    picture.thumbnail((450, 640))
    with whole_file(path) as file:
        picture.save(file, 'JPEG', quality=92)


def fetch_covers(anime):
    """Fetch the covers that COVERS_DIR lacks; returns {MAL id: path} of all that are there then.

    One that fails is left out. Where nobody answers, the rest is given up within seconds.
    """
    covers, wanted, failed, silent = {}, {}, 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        warnings.simplefilter('error', Image.DecompressionBombWarning)
        for mal_id, url in anime['picture'].dropna().items():
            path = os.path.join(COVERS_DIR, f'{mal_id}.jpg')
            try:
                with open(path, 'rb') as file:
                    open_cover(file.read(MAX_COVER_BYTES))
                covers[mal_id] = path
            except (OSError, ValueError):  # not there yet, or broken
                wanted[mal_id] = path, url
        if not wanted:
            return covers
        try:
            os.makedirs(COVERS_DIR, exist_ok=True)
        except OSError as error:
            raise Problem(9, f'COVERS_DIR, {COVERS_DIR}, cannot be made: {error.strerror}') from None
        kept, pool = len(covers), futures.ThreadPoolExecutor(COVER_WORKERS)
        try:
            jobs = {pool.submit(fetch_cover, url, path): (mal_id, path) for mal_id, (path, url) in wanted.items()}
            answered = futures.wait(jobs, COVER_TIMEOUT + 1, futures.FIRST_COMPLETED).done
            for job in progress_bar(futures.as_completed(jobs) if answered else (), 'covers', len(jobs)):
                mal_id, path = jobs[job]
                try:
                    job.result()
                    covers[mal_id], silent = path, 0
                except (OSError, ValueError) as error:
                    failed += 1
                    silent = silent + 1 if isinstance(error, (requests.ConnectionError, requests.Timeout)) else 0
                    if silent == COVER_WORKERS * (1 if len(covers) == kept else 3):
                        break
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    fetched = len(covers) - kept
    print(f'covers: {fetched:,} fetched, {kept:,} were there, {failed:,} are not to be had, '
          f'{len(wanted) - fetched - failed:,} given up as nobody answers')
    return covers


def cluster_colours(positions, labels):
    """One colour a cluster ('#rrggbb'), from COLOURS in the order of the clusters' directions from the middle of the map.

    Beyond the ninth, the same colours come again, darker each time, and not beside themselves where the round closes.
    """
    middles = np.array([np.median(positions[labels == k], 0) for k in range(labels.max() + 1)])
    x, y = (middles - np.median(positions, 0)).T
    rounds, step = np.divmod(np.argsort(np.argsort(np.arctan2(y, x))), len(COLOURS))
    return [to_hex(np.array(to_rgb(colour)) * 0.7 ** turn) for colour, turn in
            zip(np.take(COLOURS, step + 7 * rounds, mode='wrap'), rounds)]


def shorten(title, length=36):
    """A title of at most `length` characters: words in the middle give way, as the last ones tell sequels apart."""
    words, last = title.split(), ''
    while len(title) > length and words and len(words[-1] + last) < length // 3:
        last = f' {words.pop()}{last}'
    return textwrap.shorten(' '.join(words), length - len(last), placeholder='…') + last


def fonts_for(texts):
    """Font families that hold the texts' characters, DejaVu Sans first, and the characters that no font here holds."""
    families, missing = [], set(map(ord, ''.join(texts)))
    logging.getLogger('matplotlib.font_manager').setLevel(logging.ERROR)  # it complains of fonts that nobody asked for
    others = {font.name for font in font_manager.fontManager.ttflist if font.style == 'normal'}
    for name in ['DejaVu Sans', *sorted(others, key=lambda name: ('CJK' not in name, name))]:
        if missing and not name.startswith('Last Resort'):  # that one draws boxes
            held = missing & set(font_manager.get_font(font_manager.findfont(name)).get_charmap())
            families += [name] if held or not families else []
            missing -= held
    return families, set(map(chr, missing))


def spread(points, radii, low, high, square=False, boxes=()):
    """Push discs (squares of half width `radii`) apart until none covers another or a box, as far as the frame allows.

    points: n x 2; low, high: corners of the frame; boxes: (middle x, middle y, half width, half height) of each.
    """
    for _ in range(100):
        one, two = cKDTree(points).query_pairs(2 * radii.max(), p=np.inf if square else 2, output_type='ndarray').T
        way = points[two] - points[one] + 1e-3 * (1 + one % 7)[:, None] * [1, -1]  # never quite nothing
        if square:
            way[np.arange(len(one)), np.abs(way).argmin(1)] = 0
        far = np.linalg.norm(way, axis=1)
        push = np.maximum(0, radii[one] + radii[two] - far)
        step = way * (0.4 * push / far)[:, None]
        points = points.copy()
        np.add.at(points, two, step)
        np.subtract.at(points, one, step)
        for x, y, half_width, half_height in boxes:
            reach = half_height + radii
            inside = (np.abs(points[:, 0] - x) < half_width + radii) & (np.abs(points[:, 1] - y) < reach)
            points[inside, 1] = y + np.where(points[inside, 1] < y, -1, 1) * reach[inside]
        points = points.clip(low, high)
        if push.max(initial=0) < 0.5:
            break
    return points


def draw_map(positions, labels, names, colours, anime, covers, footnote):
    """Draw similarity_map.png: every title as cover, tile or disc, the popular ones larger, and its name where it fits.

    The arguments come from the functions above, covers may be {}; footnote: what the map was drawn from. Returns the
    figure, whose data unit is the pixel and whose artists bear gids: `discs` (one collection, in the order of anime),
    `cover <id>`, `tile <id>`, `title <id>`, `cluster <label>`.
    """
    n, order = len(anime), by_popularity(anime)
    rank = np.argsort(order) / max(1, n - 1)  # 0 = the most popular, 1 = the least
    width = round(MAP_WIDTH * min(2, max(1, (n / 300) ** 0.4)))
    height, cell, unit = round(width * 0.72), width / 400, (width * MAP_WIDTH) ** 0.5 / 3200
    figure = Figure((width / 72, height / 72), dpi=72, facecolor=PAPER)  # at 72 dpi a point of type is a pixel
    renderer = FigureCanvasAgg(figure).get_renderer()
    axes = figure.add_axes([0, 0, 1, 1], xlim=(0, width), ylim=(0, height), autoscale_on=False)
    axes.axis('off')
    colours, paper = np.array([to_rgb(colour) for colour in colours]), np.array(to_rgb(PAPER))
    texts = [shorten(title) for title in anime['title']]
    families, missing = fonts_for([*texts, *names, footnote])
    # Signs that no font has are left out; a title with such letters stays without type, as half a word is none.
    texts = ['' if any(letter.isalpha() for letter in missing.intersection(text)) else
             ''.join(letter for letter in text if letter not in missing).strip() for text in texts]
    font = {'family': families, 'parse_math': False}
    halo = [withStroke(linewidth=3.5 * unit, foreground=PAPER)]

    # How large the marks and the type are, and where they lie: t-SNE's places, drawn out where they crowd
    low, high = np.array([[0.07, 0.10], [0.93, 0.88]]) * [width, height]
    space = np.sqrt(np.prod(high - low) / n)
    if covers:  # half the width of a tile, which is 1.42 times as high as wide
        radii, stretch = 0.18 * space * (1.2 - 0.35 * rank ** 0.6), np.array([1, 1.42])
    else:       # the radius of a disc, which needs more room at its sides, for type
        radii, stretch = 0.15 * space * min(1, 300 / n) ** 0.12 * (1.45 - 0.9 * rank ** 0.6), np.array([1.5, 1])
    length = np.array([len(text) for text in texts])
    type_size = np.clip(0.5 * space / np.sqrt(length.mean()), 14, 28 if covers else 32) * (1.18 - 0.36 * rank)
    area = 4 * radii ** 2 * stretch[1] + 0.72 * length * type_size ** 2
    room = np.maximum(1.1 * radii, np.sqrt(0.18 * np.prod(high - low) * area / area.sum() / np.prod(stretch)))
    places = (positions - positions.min(0)) / np.maximum(np.ptp(positions, 0), 1e-12)
    places = 0.7 * places + 0.3 * np.argsort(np.argsort(places, 0), 0) / max(1, n - 1)
    places = low + (0.04 + 0.92 * places) * (high - low)
    places = spread(places / stretch, room, low / stretch, high / stretch, bool(covers)) * stretch

    # The clusters' names: where a cluster is most by itself and titles are few; the titles there make way
    density, taken = np.zeros((len(names), round(height / cell), 400)), np.zeros((round(height / cell), 400))
    where = tuple(np.minimum((places[:, ::-1] / cell).astype(int), np.subtract(taken.shape, 1)).T)
    np.add.at(density, (labels, *where), 1)
    density = ndimage.gaussian_filter(density, (0, *[max(4, 130 / n ** 0.5)] * 2))
    # No land runs over the picture's rim, nor under its heading.
    density *= np.minimum.outer(*(np.maximum(0, 1 - np.abs(np.linspace(-1, last, size)) ** 12)
                                  for size, last in zip(density.shape[1:], (1.15, 1))))
    total = density.sum(0)
    own = density ** 2 / np.maximum((density ** 2).sum(0), 1e-12) * np.minimum(1, total / np.median(total[where]))
    taken[where] = 1
    taken = ndimage.maximum_filter(taken, int(2 * np.median(radii) / cell) + 1)
    boxes = []
    for k, name in enumerate(names):
        lines = ['\u2009'.join(line) for line in textwrap.wrap(name.upper(), 28)]
        text = axes.text(0, 0, '\n'.join(lines), size=44 * unit, color=tuple(colours[k] * 0.6), ha='center', va='center',
                         zorder=4, gid=f'cluster {k}', **font)
        box = text.get_window_extent(renderer)
        size = int(box.height / cell) + 3, int(box.width / cell) + 3
        score = ndimage.uniform_filter(own[k], size) - 0.7 * ndimage.uniform_filter(taken, size)
        score[:int(low[1] / cell) + 1] = score[int(high[1] / cell):] = -np.inf
        score[:, :size[1] // 2 + 8] = score[:, -(size[1] // 2) - 8:] = -np.inf
        y, x = np.unravel_index(score.argmax(), score.shape)
        taken[max(0, y - size[0]):y + size[0], max(0, x - size[1] // 2 - 2):x + size[1] // 2 + 3] = 9
        text.set_position(((x + 0.5) * cell, (y + 0.5) * cell))
        boxes.append((*text.get_position(), box.width / 2, box.height / 2))
    places = spread(places / stretch, np.maximum(1.1 * radii, 0.8 * room), low / stretch, high / stretch, bool(covers),
                    boxes / np.tile(stretch, 2)) * stretch

    # The clusters' land and shallows, as on a chart
    for depth, strength in ((0.14, 0.10), (0.35, 0.20)):
        for k, colour in enumerate(colours):
            lead = (density[k] - np.delete(density, k, 0).max(0, initial=0)) / np.maximum(total, 1e-9)
            land = np.minimum(total / (depth * np.percentile(total[where], 20)) - 1, 3 * lead)
            axes.contourf((np.arange(400) + 0.5) * cell, (np.arange(len(total)) + 0.5) * cell, land, levels=[0, np.inf],
                          colors=[tuple(paper + strength * (colour - paper))], zorder=depth)

    # The titles' marks; `clear` and `around` are the middles and half widths of squares that no type may touch
    clear, around = [places[order[:2000]]], [radii[order[:2000]]]  # with more titles, type may cover the smallest discs
    if covers:
        clear = [places + [0, 0.42] * radii[:, None], places - [0, 0.42] * radii[:, None]]
        around = [radii + 3 * unit] * 2
    else:
        axes.scatter(*places.T, s=(2 * radii) ** 2, c=colours[labels], edgecolors=PAPER, zorder=2,
                     linewidths=np.minimum(1.5 * unit, 0.15 * radii), gid='discs')
    for row, mal_id in enumerate(anime.index if covers else ()):
        (x, y), half, colour = places[row].round(), int(radii[row]), colours[labels[row]]
        tall = int(1.42 * half)
        tile = axes.add_patch(Rectangle((x - half, y - tall), 2 * half, 2 * tall, facecolor=colour, edgecolor=colour,
                                        linewidth=5 * unit, zorder=2, gid=f'tile {mal_id}'))
        if mal_id in covers:
            tile.set_gid('frame')
            with Image.open(covers[mal_id]) as cover:
                axes.imshow(ImageOps.fit(cover.convert('RGB'), (2 * half, 2 * tall)), interpolation='nearest', zorder=2.5,
                            aspect='auto', extent=(x - half, x + half, y - tall, y + tall), gid=f'cover {mal_id}')
        else:
            lines = textwrap.wrap(texts[row], 10, max_lines=5, placeholder='…') or ['']
            axes.text(x, y, '\n'.join(lines), size=min(0.4 * half, 2.9 * half / max(5, *map(len, lines))), ha='center',
                      va='center', color=PAPER if colour @ [0.2, 0.7, 0.1] < 0.5 else INK, zorder=3, **font)
    for x, y, w, h in boxes:
        clear.append(np.stack(np.meshgrid(np.arange(x - w + h / 2, x + w, h), [y - h / 2, y + h / 2]), -1).reshape(-1, 2))
        around.append(np.full(len(clear[-1]), h / 2))
    clear, around = np.concatenate(clear), np.concatenate(around)

    # The titles in type, the popular ones first, as many as have room
    reach = (110 if covers else 160 if n <= 300 else 60) * unit
    narrow = 14 if covers else 20
    fit = np.array([row for row in order if texts[row].strip()], int)
    fit = fit[np.cumsum((0.72 * length * type_size ** 2)[fit]) < 0.4 * width * height]
    wrapped = ['\n'.join(textwrap.wrap(text, max(narrow - 6, len(text) // 2 + 3))) if len(text) > narrow else text
               for text in (texts[row] for row in fit)]
    _, lines, written, leaders = textalloc.allocate(
        axes, *places[fit].T, wrapped, x_scatter=clear[:, 0], y_scatter=clear[:, 1], scatter_sizes=around,
        text_scatter_sizes=stretch[1] * radii[fit], textsize=list(type_size[fit]), textcolor=[INK] * len(fit),
        linecolor=[tuple(colour * 0.7) for colour in colours[labels[fit]]], linewidth=1.2 * unit,
        margin=(5 if n <= 300 else 2) * unit / width, min_distance=3 * unit / width, max_distance=reach / width,
        nbr_candidates=600 if n <= 300 else 150, draw_all=False, avoid_label_lines_overlap=n <= 300,
        direction=['south', 'north', 'east', 'west'] if covers else None, xlims=(0.01 * width, 0.99 * width),
        ylims=(0.05 * height, 0.925 * height), va='bottom', linespacing=1.0, zorder=5, path_effects=halo, **font)
    half = radii[:, None] * [1, stretch[1]]
    for row, line, text, leader in zip(fit, lines, written, leaders):
        if text:
            text.set_gid(f'title {anime.index[row]}')
        if text and line:
            path = np.linspace(*np.transpose(line[:2]), 50)
            crossed = (np.abs(path[:, None] - places) < half).all(2).any(0)
            crossed[row] = False
            if crossed.any() or np.linalg.norm(path[-1] - path[0]) > half[row, 1] + reach:
                text.remove()  # too far from its mark, or past another one, to be seen as belonging to it
                leader.remove()

    axes.text(0.03 * width, 0.955 * height, f'{n:,} anime, by who loves them together', size=64 * unit, weight='bold',
              color=INK, va='center', zorder=6, path_effects=halo, **font)
    axes.text(0.03 * width, 0.03 * height, footnote, size=26 * unit, color=INK, alpha=0.7, va='center', zorder=6, **font)
    with whole_file(os.path.join(OUTPUT_DIR, 'similarity_map.png')) as file:
        figure.savefig(file, format='png', dpi=72)
    return figure


# ---- outputs ---------------------------------------------------------------------------------------------------

def write_table(name, frame):
    """Write a DataFrame as OUTPUT_DIR/name, a CSV file in UTF-8."""
    with whole_file(os.path.join(OUTPUT_DIR, name)) as file:
        file.write(frame.to_csv(index=False, lineterminator='\n', float_format='%.4f').encode())


def write_json(name, content):
    with whole_file(os.path.join(OUTPUT_DIR, name)) as file:
        file.write(json.dumps(content, ensure_ascii=False, allow_nan=False, indent=None if name == 'graph.json' else 1).encode(
            errors='backslashreplace'))  # a file name may hold bytes that are no UTF-8


def recommend_for(person, frame, anime):
    """Print and write the RECOMMENDATIONS best titles for a person's scores, each with its REASONS."""
    try:
        known, weight, nearness, _ = evidence(frame, person)
        best = recommend(frame, person, RECOMMENDATIONS)
    except ValueError as error:
        raise Problem(10, f'RECOMMEND_FOR, {RECOMMEND_FOR}: {error}') from None
    near, title = nearness(slice(None)), anime['title']
    reasons = []
    for mal_id in best.index:
        speaks = weight * near[:, frame.index.get_loc(mal_id)]
        strongest = [place for place in np.argsort(-speaks, kind='stable')[:REASONS] if speaks[place] > 0]
        reasons.append('; '.join(title[known[place]] for place in strongest))
    table = pd.DataFrame({'rank': range(1, len(best) + 1), 'mal_id': best.index, 'title': title[best.index].to_numpy(),
                          'affinity': best.to_numpy(), 'because': reasons})
    write_table('recommendations.csv', table)
    print(f'\nFor {RECOMMEND_FOR}, from {len(known)} of the titles on the list:')
    for row in table.itertuples():
        print(f'{row.rank:3}  {row.title}\n       because of {row.because}')


def write_neighbours(anime, places, similarities):
    """Write neighbours.csv from nearest_titles()."""
    title, own = anime['title'].to_numpy(), np.repeat(np.arange(len(anime)), places.shape[1])
    write_table('neighbours.csv', pd.DataFrame({
        'mal_id': anime.index[own], 'title': title[own], 'rank': np.tile(np.arange(places.shape[1]) + 1, len(anime)),
        'neighbour_id': anime.index[places.ravel()], 'neighbour_title': title[places.ravel()],
        'similarity': similarities.ravel()}))


def write_graph(vectors, anime, settings, nearest, positions, labels, names, colours):
    """Write graph.json, what web/ shows; its form is in the README."""
    ids = anime.index.tolist()
    rows = [{'id': mal_id, **row, 'x': round(x, 5), 'y': round(y, 5), 'cluster': label} for mal_id, row, (x, y), label
            in zip(ids, anime.to_dict('records'), positions.tolist(), labels.tolist())]
    model = {name: list(values.values()) if isinstance(values, dict) else values for name, values in vectors.attrs.items()}
    write_json('graph.json', {
        'format': 'aniembed-graph/1',
        'settings': {**settings, 'RECOMMEND_FOR': '', 'recommend': model},  # a graph is for others to look at
        'clusters': [{'id': label, 'name': name, 'size': int((labels == label).sum()), 'color': colour}
                     for label, (name, colour) in enumerate(zip(names, colours))],
        'anime': rows,
        'neighbours': {mal_id: [[ids[place], round(value, 4)] for place, value in zip(*row)]
                       for mal_id, *row in zip(ids, *(array.tolist() for array in nearest))},
        'vectors': base64.b64encode(vectors.to_numpy('<f4').tobytes()).decode()})


def print_nearest(anime, places, similarities):
    """Print the three nearest of the WELL_KNOWN most popular titles."""
    for own in by_popularity(anime)[:WELL_KNOWN]:
        print(f'\n{anime["title"].iat[own]}')
        for place, similarity in zip(places[own][:3], similarities[own]):
            print(f'  {similarity:.2f}  {anime["title"].iat[place]}')


def main(arguments):
    """The whole run, from NAME=value arguments to the files in OUTPUT_DIR."""
    if {'-h', '--help'} & set(arguments):
        print(__doc__)
        return
    apply_arguments(arguments)
    if KVSTORE == 'dist_sync':
        join_machines()
    try:
        os.makedirs(OUTPUT_DIR, exist_ok=True)
        tempfile.TemporaryFile(dir=OUTPUT_DIR).close()
    except OSError as error:
        raise Problem(9, f'OUTPUT_DIR, {OUTPUT_DIR}, cannot be written to: {error.strerror}') from None
    settings = {name: globals()[name] for name in SETTINGS}
    settings['versions'] = {'python': sys.version.split()[0], **{
        module.__name__: module.__version__ for module in (mx, np, pd, sklearn, matplotlib)}}
    if TRAIN:
        ids = read_anime_list()
    else:
        frame = read_vectors()
        ids = frame.index.tolist()  # which need not be those of ANIME_LIST
        print(f'net: {len(ids):,} titles, {frame.shape[1]} numbers each, as trained before')
    anime = read_anime_data(ids)
    for name, most in (('PERPLEXITY', len(ids) - 1), ('N_CLUSTERS', len(ids) // 2)):
        if globals()[name] > most:
            raise Problem(2, f'{name} is {globals()[name]}, and should be at most {most} for {len(ids)} titles')
    person = person_scores(ids) if RECOMMEND_FOR else None
    if TRAIN:
        paths = list_files()
        means = fill_means(anime, paths)
        counts = settings['lists'] = {}
        pairs = PairIterator(score_blocks(paths, ids, counts), means, BATCH_SIZE)
        counts.update(zip(counts, map(int, sum_over_workers(np.array([*counts.values()], np.float64)))))
        print('lists: ' + ', '.join(f'{number:,} {what}' for what, number in counts.items()))
        if not counts['kept']:
            raise Problem(7, f'no list of {ANIME_DATA_LIST} is left: of {counts["read"]:,}, ' + ', '.join(
                f'{number:,} {what}' for what, number in counts.items() if what.startswith('dropped')))
        vectors, settings['loss'] = train(pairs)
        print(f'net: {len(ids):,} titles, {N_EMBEDDING} numbers each, loss {settings["loss"]:.5f}')
        if STORE and STORE.rank:
            return  # rank 0 alone writes
        frame = pd.DataFrame(vectors, index=pd.Index(ids, name='mal_id'))
        frame.attrs = {**recommendation_model(frame, pairs.scorers, means), 'lists': counts['kept']}
        del pairs  # the index is the largest thing in memory, and not needed any more
        with whole_file(os.path.join(OUTPUT_DIR, 'embeddings.pkl')) as file:
            pickle.dump(frame, file, protocol=4)
        write_json('settings.json', settings)
    if person is not None:
        recommend_for(person, frame, anime)
    if TRAIN or person is None:
        # In one order in memory, wherever they come from: sums in another order end in another t-SNE.
        vectors = np.ascontiguousarray(frame)
        nearest = nearest_titles(vectors, NEAREST)
        write_neighbours(anime, *nearest)
        seconds = f'about {1 + len(anime) // 150} s'  # as measured on two cores; neither t-SNE nor textalloc tells
        print(f'clusters and t-SNE: {seconds}')
        labels, names = find_clusters(vectors, anime)
        positions = place_titles(vectors)
        colours = cluster_colours(positions, labels)
        covers = fetch_covers(anime) if COVERS_DIR else {}
        print(f'drawing the map: {seconds}')
        draw_map(positions, labels, names, colours, anime, covers,
                 f'Drawn by AniEmbed from {frame.attrs["lists"]:,} lists. The nearer two titles, the more alike they are '
                 'scored; the larger, the more people know them; one colour, one cluster.')
        write_graph(frame, anime, settings, nearest, positions, labels, names, colours)
        print_nearest(anime, *nearest)
    print(f'\nIn {OUTPUT_DIR}: {", ".join(sorted(WRITTEN))}')


class Log(io.FileIO):
    """Standard output or error, for which a run that takes hours must not end: what nobody can take any more is dropped."""

    def write(self, text):
        try:
            return super().write(text)
        except OSError:  # its reader has gone, or its disk is full
            return len(text)


def command(arguments):
    """Run main() and return the exit status, with a sentence on standard error where something went wrong."""
    global STORE
    for number, name in ((1, 'stdout'), (2, 'stderr')):  # titles in any script on any terminal; logs that grow
        stream = getattr(sys, name) or open(os.devnull, 'w')
        setattr(sys, name, io.TextIOWrapper(io.BufferedWriter(Log(stream.fileno(), 'w', closefd=False)), stream.encoding,
                                            'replace', line_buffering=True))
    # Where more is asked for than this machine has, MemoryError and a sentence; else the kernel would kill what it likes.
    memory, (soft, hard) = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES'), resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (memory if soft == resource.RLIM_INFINITY else min(memory, soft), hard))
    try:
        main(arguments)
        status = 0
    except Problem as problem:
        print('embeddings.py:', ''.join(filter(str.isprintable, str(problem)))[:1000], file=sys.stderr)  # a line, no codes
        status = problem.status
    except MemoryError:
        print('embeddings.py: there is not enough memory: take fewer titles, or several smaller files of lists', file=sys.stderr)
        status = 8
    except KeyboardInterrupt:
        finished = (f'In {OUTPUT_DIR} is what was finished: {", ".join(WRITTEN)}; with TRAIN=False the same command goes on '
                    'from the vectors there.' if WRITTEN else 'Nothing was finished yet; the same command begins again.')
        print('Stopped.', finished, file=sys.stderr)
        status = 130
    if ROLL_CALL:
        if status:
            os._exit(status)  # an orderly end would wait for the others, who are to hear of this one
        STORE = None          # lets go of MXNet's store, which waits here until all are done
        ROLL_CALL.leave()
    return status


if __name__ == '__main__':
    if signal.getsignal(signal.SIGINT) is stop_importing:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(command(sys.argv[1:]))
