"""Read a pandas DataFrame out of a pickle that nobody has to trust.

A pickle is a program: it names functions and says what to call them with. This reader knows the few names
that the pickle of a table needs, and calls none of them. Each becomes a `PickledPart`, a note of what the
pickle wants to pass to it. The table is then built from the notes, with sizes and types checked. Any other
name is refused before it is looked up. The names are those that pandas 1 to 3 write, with or without pyarrow.
"""

import os
import pickle
import re

import numpy as np
import pandas as pd
from tqdm import tqdm

from aniembed import files

# More titles and lists than there are. A range or a sparse array can say any length without taking any bytes.
MAX_COLUMNS, MAX_ROWS, MAX_CATEGORIES = 10**6, 10**8, 10**7
MAX_LINE = 1000


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
    return tqdm.wrapattr(
        file,
        'read',
        os.path.getsize(path),
        desc=f'reading {os.path.basename(path)}',
        delay=1,
        leave=False,
        disable=None,
        dynamic_ncols=True,
    )


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
        """Return the next line, which ends after MAX_LINE bytes; no line of a table's pickle is as long."""
        return self.file.readline(MAX_LINE)


def memory_of_machine():
    """Return the bytes of memory that this machine has."""
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')


# ---- the unpickler: opcodes -> parts -------------------------------------------------------------------


class TableError(Exception):
    """Say why a pickle holds no table of scores: the end of a sentence that begins with the file's name."""


class PickledPart:
    """Stand for an object of numpy, pandas or pyarrow; hold what the pickle wants to give to it."""

    def __new__(cls, *arguments):
        """Keep the arguments, whatever they are."""
        part = super().__new__(cls)
        part.arguments, part.state = arguments, None
        return part

    def __setstate__(self, state):
        """Keep the state, whatever it is."""
        self.state = state


# Package -> the names that a table may hold. Modules inside the packages change from version to version.
ALLOWED = {
    '__builtin__': {'slice', 'bytes', 'bytearray'},
    'builtins': {'slice', 'bytes', 'bytearray'},
    'numpy': {'_frombuffer', '_reconstruct', 'dtype', 'ndarray', 'scalar'},
    'pandas': {
        *('DataFrame', 'BlockManager', '_unpickle_block', '_new_Index', 'Index', 'RangeIndex'),
        *(
            'Int64Index',
            'UInt64Index',
            'Float64Index',
            'SparseArray',
            'SparseDtype',
            'IntIndex',
            'BlockIndex',
        ),
        *('__pyx_unpickle_NDArrayBacked', 'StringArray', 'StringDtype', 'NA', 'ArrowStringArray'),
        *('MultiIndex', 'CategoricalIndex', 'Categorical', 'CategoricalDtype'),
        *(
            'ArrowExtensionArray',
            'ArrowDtype',
            'IntegerArray',
            'FloatingArray',
            'Float32Dtype',
            'Float64Dtype',
        ),
        *(f'{sign}Int{bits}Dtype' for sign in ('', 'U') for bits in (8, 16, 32, 64)),
    },
    'pyarrow': {'_restore_array', 'chunked_array', 'type_for_alias', 'py_buffer'},
}


def _bytes(data=b'', encoding='latin-1'):
    """Return what bytes() or bytearray() of these arguments hold; a number would make as many zeros."""
    if isinstance(data, bytes):
        return data
    return data.encode('latin-1')


STAND_INS = {name: type(name, (PickledPart,), {}) for names in ALLOWED.values() for name in names}
STAND_INS['bytes'] = STAND_INS['bytearray'] = _bytes  # how older protocols store them
STAND_INS['NA'] = pd.NA  # a constant; what the unpickler does with it is checked below
STAND_INS['scalar'] = lambda dtype, data: np.frombuffer(data, _build(dtype))[0]


class TableUnpickler(pickle._Unpickler):
    """Read the opcodes of a pickle, with a PickledPart for each allowed name.

    The base is the unpickler written in Python, because its steps can be replaced. A bytearray becomes bytes,
    which takes no second copy. Sets and protocol 0's dicts are left out: no table needs them, and their keys
    can be made to take forever to hash.
    """

    def find_class(self, module, name):
        """Return what stands for a name; TableError for one that is not allowed."""
        if (module, name) == ('_codecs', 'encode'):
            return _bytes  # how protocol 2 stores bytes
        if name not in ALLOWED.get(module.split('.')[0], ()):
            named = files.one_line(f'{module:.40}.{name:.40}')
            raise TableError(
                f'names {named}, which no table of scores needs; it was refused, nothing of it was run'
            )
        return STAND_INS[name]

    def load_build(self):
        """Give a state to a part, and to nothing else: pd.NA would run its own __setstate__."""
        if not isinstance(self.stack[-2], PickledPart):
            raise pickle.UnpicklingError('a state for what has none')
        super().load_build()

    def load_setitem(self):
        """Set one item of a dict."""
        self._set_items(self.stack.pop(-2), self.stack.pop())

    def load_setitems(self):
        """Set several items of a dict."""
        self._set_items(*self.pop_mark())

    def _set_items(self, *items):
        if not all(isinstance(key, (str, int)) for key in items[::2]):
            raise pickle.UnpicklingError('a key that is neither a text nor a number')
        self.stack[-1].update(zip(items[::2], items[1::2]))

    dispatch = {
        **pickle._Unpickler.dispatch,
        pickle.BUILD[0]: load_build,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.BYTEARRAY8[0]: pickle._Unpickler.load_binbytes8,
    }
    for _opcode in (pickle.DICT, pickle.EMPTY_SET, pickle.FROZENSET):
        del dispatch[_opcode[0]]


# ---- parts -> arrays, indices, the table; ValueError and the like where they do not fit together --------


def _dataframe(part):
    """Return the DataFrame that a part stands for."""
    if type(part).__name__ != 'DataFrame':
        raise TableError('holds no DataFrame')
    blocks, axes = part.state['_mgr'].arguments
    columns, index = map(_build, axes)
    if len(columns) > MAX_COLUMNS or len(index) > MAX_ROWS:
        raise ValueError(f'{len(index)} lists of {len(columns)} titles are more than there are')
    pieces = []
    for block in blocks:
        values, positions = _build(block.arguments[0]), block.arguments[1]
        if type(positions).__name__ == 'slice':
            positions = range(len(columns))[slice(*positions.arguments)]
        else:
            positions = _build(positions)
        values = values.T if values.ndim == 2 else {positions[0]: values}
        pieces.append(pd.DataFrame(values, index, positions, copy=False))
    frame = pieces[0] if len(pieces) == 1 else pd.concat(pieces, axis=1).sort_index(axis=1)
    if not np.array_equal(frame.columns, np.arange(len(columns))):
        raise ValueError('columns are missing or there twice')
    frame.columns, frame.attrs = columns, part.state['attrs']
    return frame


def _build(part):
    """Return the dtype, array or index that a part stands for."""
    kind = type(part).__name__
    if kind not in BUILDERS:
        raise ValueError(f'a {kind} where numbers should be')
    return BUILDERS[kind](part)


def _dtype(part):
    code = part.arguments[0]
    if not re.fullmatch('[biufO][0-9]{0,2}', code):
        raise ValueError(f'the column type {code!r:.40} is not one of numbers or objects')
    return np.dtype(code).newbyteorder(part.state[1])


def _array_of_protocol_5(part):
    data, dtype, shape, order = part.arguments
    return np.frombuffer(data, _build(dtype)).reshape(shape, order=order)


def _array(part):
    _, shape, dtype, by_columns, data = part.state
    dtype = _build(dtype)
    if dtype.hasobject:
        return np.fromiter(data, object, len(data)).reshape(shape)  # numpy lists objects by rows in any case
    return np.frombuffer(data, dtype).reshape(shape, order='F' if by_columns else 'C')


def _backed_array(part):
    """Return the array of a StringArray, or the values of a Categorical; they are items of the state."""
    items = {type(item).__name__: item for item in part.state}
    codes = _build(items.get('_reconstruct', items.get('_frombuffer')))
    if part.arguments[0].__name__ != 'Categorical':
        return codes
    return _values(codes, _build(items['CategoricalDtype'].state['categories']))


def _values(codes, categories):
    """Return the category that each code stands for, NaN for -1."""
    if len(categories) > MAX_CATEGORIES:
        raise ValueError(f'{len(categories)} categories are more than there are')
    return pd.Categorical.from_codes(codes, categories).to_numpy()


def _masked_array(part):
    array_class = getattr(pd.arrays, type(part).__name__)
    return array_class(_build(part.state['_data']), _build(part.state['_mask']))


def _sparse_array(part):
    index, dtype = part.state['_sparse_index'], part.state['_dtype'].state
    index_class = getattr(pd._libs.sparse, type(index).__name__)
    index = index_class(index.arguments[0], *map(_build, index.arguments[1:]))
    values = _build(part.state['_sparse_values'])
    return pd.arrays.SparseArray(values, sparse_index=index, fill_value=float(dtype['_fill_value']))


def _index(part):
    index_class, state = part.arguments
    if index_class.__name__ == 'RangeIndex':
        return pd.RangeIndex(int(state['start']), int(state['stop']), int(state['step']))
    names = _one_level(state) if index_class.__name__ == 'MultiIndex' else _build(state['data'])
    if names.dtype == object and not all(
        name is pd.NA or isinstance(name, (str, int, float)) for name in names
    ):
        raise ValueError('a name that is neither a text nor a number')
    return pd.Index(names, tupleize_cols=False)


def _one_level(state):
    """Return the values of a MultiIndex of which only one level tells the names apart."""
    codes = [_build(array) for array in state['codes']]
    telling = [level for level, array in enumerate(codes) if (array != array[:1]).any()]
    if len(telling) > 1:
        raise TableError(
            'has several levels of names; save a table with one: frame.droplevel(0, axis=1) leaves out the '
            'first level of the columns, frame.droplevel(0) that of the index'
        )
    level = telling[0] if telling else -1
    return _values(codes[level], _build(state['levels'][level]))


# Arrow's names of the types of a column -> the numpy types of its values, or of the offsets of its texts.
ARROW_NUMBERS = {
    **{f'{sign}int{bits}': f'<{sign or "i"}{bits // 8}' for sign in ('', 'u') for bits in (8, 16, 32, 64)},
    'halffloat': '<f2',
    'float': '<f4',
    'double': '<f8',
}
ARROW_TEXTS = {'string': '<i4', 'large_string': '<i8'}


def _arrow_column(part):
    """Return the array of a pandas column that Arrow holds, in one piece or in several."""
    array = part.state.get('_pa_array', part.state.get('_data'))  # pandas before 2.1 has the second name
    if type(array).__name__ == 'chunked_array':
        chunks = array.arguments[0]
        if sum(chunk.arguments[0][1] for chunk in chunks) > MAX_ROWS:
            raise ValueError('an Arrow column is longer than there are lists')
        return np.concatenate([_arrow_array(chunk) for chunk in chunks])
    return _arrow_array(array)


def _arrow_array(part):
    """Return an Arrow array as float64 with NaN for what is absent, or as an object array of texts and NaN.

    Layout: https://arrow.apache.org/docs/format/Columnar.html, "Variable-size Binary Layout".
    """
    arrow_type, length, _, start, buffers = part.arguments[0][:5]
    (alias,) = arrow_type.arguments
    buffers = [buffer and buffer.arguments[0] for buffer in buffers]
    if alias in ARROW_NUMBERS:
        values = np.frombuffer(buffers[1], ARROW_NUMBERS[alias])[start : start + length].astype(np.float64)
    elif alias in ARROW_TEXTS:
        offsets = np.frombuffer(buffers[1], ARROW_TEXTS[alias])[start : start + length + 1]
        if offsets[0] < 0 or (offsets[1:] < offsets[:-1]).any():
            raise ValueError('the texts of an Arrow column overlap')
        offsets, texts = offsets.tolist(), buffers[2] or b''
        words = [texts[low:high].decode() for low, high in zip(offsets, offsets[1:])]
        values = np.fromiter(words, object, len(words))
    else:
        raise ValueError(f'a column of the Arrow type {alias!r:.40}, which is neither numbers nor texts')
    if len(values) != length:
        raise ValueError('an Arrow column is shorter than it says')
    if buffers[0] is not None:
        bits = np.unpackbits(np.frombuffer(buffers[0], np.uint8), bitorder='little')[start : start + length]
        values[bits == 0] = np.nan
    return values


BUILDERS = {
    'dtype': _dtype,
    '_frombuffer': _array_of_protocol_5,
    '_reconstruct': _array,
    '__pyx_unpickle_NDArrayBacked': _backed_array,
    'IntegerArray': _masked_array,
    'FloatingArray': _masked_array,
    'SparseArray': _sparse_array,
    'ArrowStringArray': _arrow_column,
    'ArrowExtensionArray': _arrow_column,
    '_new_Index': _index,
}
