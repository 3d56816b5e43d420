"""Read a pandas DataFrame out of a pickle that nobody has to trust.

A pickle is a program: it names functions and says what to call them with. Python's documented way to read one
safely is an Unpickler whose find_class() allows only some names. That is not enough here: functions of numpy
and pandas trust the sizes and types in a pickle, and wrong ones crash the process. So each of the few names
that a table needs stands for a Part, which notes what it is given. Arrays and the DataFrame are made from
these notes by public functions, which check sizes and types. Any other name is refused.
"""

import os
import pickle
import re

import numpy as np
import pandas as pd
from tqdm import tqdm

from aniembed import files

# More titles and lists than there are. An index of a range can have any length without taking any bytes.
MAX_COLUMNS, MAX_ROWS = 10**6, 10**8
MAX_LINE = 1000  # bytes; names and numbers of protocol 0 are lines

# Package -> names that a table may hold. The modules inside the packages change from version to version.
ALLOWED = {
    'numpy': {'_frombuffer', '_reconstruct', 'dtype', 'ndarray', 'scalar'},
    'pandas': {
        *('DataFrame', 'BlockManager', '_unpickle_block', '_new_Index', 'Index', 'RangeIndex'),
        *('Int64Index', 'UInt64Index', 'Float64Index', 'NA'),
        *('__pyx_unpickle_NDArrayBacked', 'StringArray', 'StringDtype', 'ArrowStringArray'),
    },
    'pyarrow': {'_restore_array', 'chunked_array', 'type_for_alias', 'py_buffer'},
    'builtins': {'slice', 'bytes'},
    '__builtin__': {'slice', 'bytes'},  # protocol 2
    '_codecs': {'encode'},  # how protocol 2 stores bytes
}
PLAIN_NUMBERS = (
    'columns that are no plain numbers; save '
    "pandas.DataFrame(frame.to_numpy('float32', na_value=float('nan')), frame.index, frame.columns) instead"
)
ADVICE = {
    **dict.fromkeys(('IntegerArray', 'FloatingArray', 'SparseArray', 'ArrowExtensionArray'), PLAIN_NUMBERS),
    **dict.fromkeys(
        ('Categorical', 'CategoricalIndex'),
        'categories; save frame.set_axis(frame.index.astype(str)) instead',
    ),
    'MultiIndex': 'several levels of names; save a table with one: frame.droplevel(0, axis=1) leaves out the '
    'first level of the columns, frame.droplevel(0) that of the index',
}


class TableError(Exception):
    """Say why a pickle holds no table of scores: the end of a sentence that begins with the file's name."""


def read_dataframe(path, name=''):
    """Return the DataFrame in the pickle at `path`, plain or packed as .gz, .xz, .bz2 or .zip.

    Index and columns hold texts and numbers; their names are not kept. `name` is the global that names the
    file. RunError if the file cannot be read, holds something else, or is damaged.
    """
    label = files.label(path, name)
    try:
        with open(path, 'rb') as stored, _progress(stored, path) as file:
            return _dataframe(TableUnpickler(BoundedFile(files.unpacked(file))).load())
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise files.RunError(f'{label} cannot be read: {error.strerror}.') from None
    except TableError as error:
        raise files.RunError(f'{label} {error}.') from None
    except MemoryError:
        raise files.RunError(f'{label} asks for more memory than there is.') from None
    except Exception as error:  # a damaged pickle can end in an error of any type
        reason = f': {error!s:.200}' if isinstance(error, (ValueError, pickle.UnpicklingError)) else ''
        raise files.RunError(
            f'{label} is not the pickle of a DataFrame, or is damaged or cut off{reason}.'
        ) from None


def _progress(file, path):
    """Return the file with a progress bar for its `read`: on a terminal, after a second."""
    name, options = f'reading {os.path.basename(path)}', {'delay': 1, 'leave': False, 'disable': None}
    return tqdm.wrapattr(file, 'read', os.path.getsize(path), desc=name, dynamic_ncols=True, **options)


class BoundedFile:
    """A file that gives no more bytes than this machine has memory; packed ones can be endless."""

    def __init__(self, file):
        self.file, self.left = file, memory_of_machine()

    def read(self, size):
        """Return the next bytes; MemoryError if they are too many."""
        self.left -= size
        if self.left < 0:
            raise MemoryError
        return self.file.read(size)

    def readline(self):
        """Return the next line, or its first MAX_LINE bytes."""
        return self.file.readline(MAX_LINE)


def memory_of_machine():
    """Return the bytes of memory that this machine has."""
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')


# ---- the unpickler: bytes -> parts ---------------------------------------------------------------------


class Part:
    """Stand for an object of numpy, pandas or pyarrow: its arguments and its state in the pickle."""

    def __new__(cls, *arguments):
        """Keep the arguments, whatever they are."""
        part = super().__new__(cls)
        part.arguments, part.state = arguments, None
        return part

    def __setstate__(self, state):
        """Keep the state, whatever it is."""
        self.state = state


class PlainDict(dict):
    """A dict with keys that are texts and numbers; the hash of a nested tuple can take forever."""

    def __setitem__(self, key, value):
        if not isinstance(key, (str, int)):
            raise pickle.UnpicklingError('a key that is neither a text nor a number')
        super().__setitem__(key, value)


class TableUnpickler(pickle._Unpickler):
    """Read a pickle with a Part for each allowed name.

    This is the unpickler in Python. The one in C reserves memory for any size that a pickle claims.
    """

    def find_class(self, module, name):
        """Return what stands for a name; TableError for one that is not allowed."""
        package = module.partition('.')[0]
        if name in ADVICE and package == 'pandas':
            raise TableError(f'has {ADVICE[name]}')
        if name not in ALLOWED.get(package, ()):
            named = files.one_line(f'{module:.40}.{name:.40}')
            raise TableError(
                f'names {named}, which no table of scores needs; it was refused, nothing of it was run'
            )
        return STAND_INS[name] if name in STAND_INS else type(name, (Part,), {})

    def load_build(self):
        """Give a state to a Part, and to nothing else."""
        if not isinstance(self.stack[-2], Part):
            raise pickle.UnpicklingError('a state for what has none')
        super().load_build()

    def load_empty_dictionary(self):
        """Begin a dict."""
        self.append(PlainDict())

    dispatch = {
        **pickle._Unpickler.dispatch,
        pickle.BUILD[0]: load_build,
        pickle.EMPTY_DICT[0]: load_empty_dictionary,
        pickle.BYTEARRAY8[0]: pickle._Unpickler.load_binbytes8,  # takes no second copy
    }
    for _opcode in (pickle.DICT, pickle.EMPTY_SET, pickle.FROZENSET):  # no table needs them
        del dispatch[_opcode[0]]


def _bytes(data=b'', encoding='latin-1'):
    """Return bytes; a number in place of the data would make as many zeros."""
    return data if isinstance(data, bytes) else data.encode('latin-1')


STAND_INS = {
    'bytes': _bytes,
    'encode': _bytes,
    'NA': None,
    'scalar': lambda dtype, data: np.frombuffer(data, _dtype(dtype))[0],
}


# ---- parts -> arrays, indices, the table; ValueError and the like where they do not fit together --------


def _dataframe(part):
    """Return the DataFrame that a part stands for."""
    if type(part).__name__ != 'DataFrame':
        raise TableError('holds no DataFrame')
    blocks, axes = part.state['_mgr'].arguments
    columns, index = map(_index, axes)
    if len(columns) > MAX_COLUMNS or len(index) > MAX_ROWS:
        raise ValueError(f'{len(index)} lists of {len(columns)} titles are more than there are')
    pieces = []
    for block in blocks:
        values, positions = _array(block.arguments[0]), block.arguments[1]
        if type(positions).__name__ == 'slice':
            positions = range(len(columns))[slice(*positions.arguments)]
        else:
            positions = _array(positions)
        values = values.T if values.ndim == 2 else {positions[0]: values}
        pieces.append(pd.DataFrame(values, index, positions, copy=False))
    frame = pieces[0] if len(pieces) == 1 else pd.concat(pieces, axis=1).sort_index(axis=1)
    if not np.array_equal(frame.columns, np.arange(len(columns))):
        raise ValueError('columns are missing or there twice')
    frame.columns, frame.attrs = columns, dict(part.state['attrs'])
    return frame


def _index(part):
    """Return the index of texts or numbers that a part stands for."""
    kind, state = part.arguments
    if kind.__name__ == 'RangeIndex':
        return pd.RangeIndex(int(state['start']), int(state['stop']), int(state['step']))
    names = _array(state['data'])
    plain = str, int, float, type(None)
    if names.dtype == object and not all(isinstance(name, plain) for name in names):
        raise ValueError('a name that is neither a text nor a number')
    return pd.Index(names, tupleize_cols=False)


def _array(part):
    """Return the numpy array that a part stands for."""
    kind = type(part).__name__
    if kind == '_frombuffer':  # protocol 5
        data, dtype, shape, order = part.arguments
        return np.frombuffer(data, _dtype(dtype)).reshape(shape, order=order)
    if kind == '_reconstruct':
        _, shape, dtype, by_columns, data = part.state
        dtype = _dtype(dtype)
        if dtype.hasobject:
            return np.fromiter(data, object, len(data)).reshape(shape)  # by rows in any case
        return np.frombuffer(data, dtype).reshape(shape, order='F' if by_columns else 'C')
    if kind == '__pyx_unpickle_NDArrayBacked':  # texts, in an array of numpy among the items of the state
        arrays = '_reconstruct', '_frombuffer'
        return _array(next(item for item in part.state if type(item).__name__ in arrays))
    if kind == 'ArrowStringArray':
        texts = part.state.get('_pa_array', part.state.get('_data'))  # pandas before 2.1 has the second name
        chunks = texts.arguments[0] if type(texts).__name__ == 'chunked_array' else [texts]
        if sum(chunk.arguments[0][1] for chunk in chunks) > MAX_ROWS:
            raise ValueError('texts are more than there are lists')
        return np.concatenate([_arrow_texts(chunk) for chunk in chunks])
    raise ValueError(f'a {kind} where numbers should be')


def _dtype(part):
    code = part.arguments[0]
    if not re.fullmatch('[biufO][0-9]{0,2}', code):
        raise ValueError(f'the column type {code!r:.40} is not one of numbers or objects')
    return np.dtype(code).newbyteorder(part.state[1])


def _arrow_texts(part):
    """Return an Arrow array of texts as an object array, None where a text is absent.

    Layout: https://arrow.apache.org/docs/format/Columnar.html, "Variable-size Binary Layout".
    """
    kind, length, _, start, buffers = part.arguments[0][:5]
    valid, offsets, texts = [buffer and buffer.arguments[0] for buffer in buffers]
    offset_type = {'string': '<i4', 'large_string': '<i8'}[kind.arguments[0]]
    offsets = np.frombuffer(offsets, offset_type)[start : start + length + 1]
    if len(offsets) != length + 1 or offsets[0] < 0 or (offsets[1:] < offsets[:-1]).any():
        raise ValueError('the texts of an Arrow array overlap, or are cut off')
    offsets, texts = offsets.tolist(), texts or b''
    words = np.fromiter((texts[low:high].decode() for low, high in zip(offsets, offsets[1:])), object, length)
    if valid is not None:
        bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder='little')[start : start + length]
        words[bits == 0] = None
    return words
