"""Pickles of tables made by hand, so that their sizes, names and shapes can lie."""

import io
import pickle

import numpy as np


class Call:
    """Pickles as a call of a name with arguments, and then a state. The name need not exist here."""

    def __init__(self, name, *arguments, state=None):
        self.name, self.arguments, self.state = name, arguments, state


class Name(str):
    """Pickles as a name of a module."""


class Pickler(pickle._Pickler):
    """Write Call and Name objects."""

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Name):
            module, name = value.rsplit('.', 1)
            self.write(f'c{module}\n{name}\n'.encode())
        elif isinstance(value, Call):
            self.save(Name(value.name))
            self.save(value.arguments)
            self.write(pickle.REDUCE)
            if value.state is not None:
                self.save(value.state)
                self.write(pickle.BUILD)
        else:
            super().save(value, save_persistent_id)


def dumps(value):
    """Return the pickle of a value that holds Call and Name objects."""
    file = io.BytesIO()
    Pickler(file, 4).dump(value)
    return file.getvalue()


def table(*blocks, index=('ann', 'bob'), columns=(1000, 1007)):
    """Return the pickle of a DataFrame with blocks (values, positions) and axes: a Call or names."""

    def axis(names):
        if isinstance(names, Call):
            return names
        array = Call(
            'numpy.core.multiarray._reconstruct', state=(1, (len(names),), objects, False, list(names))
        )
        return Call(
            'pandas.core.indexes.base._new_Index', Name('pandas.Index'), {'data': array, 'name': None}
        )

    objects = Call('numpy.dtype', 'O8', False, True, state=(3, '|', None, None, None, -1, -1, 63))
    blocks = tuple(Call('pandas._libs.internals._unpickle_block', *block, 2) for block in blocks)
    manager = Call('pandas.core.internals.managers.BlockManager', blocks, [axis(columns), axis(index)])
    return dumps(Call('pandas.DataFrame', state={'_mgr': manager, 'attrs': {}}))


FLOATS = Call('numpy.dtype', 'f8', False, True, state=(3, '<', None, None, None, -1, -1, 0))


def floats(shape, data=None):
    """Return an array of floats, whatever the number of bytes."""
    data = np.arange(np.prod(shape), dtype='f8').tobytes() if data is None else data
    return Call('numpy._core.numeric._frombuffer', data, FLOATS, shape, 'C')


SCORES = (floats((2, 2)), slice(0, 2, 1))


def arrow_index(offsets, texts):
    """Return an index of texts as Arrow stores them: offsets into all texts together."""
    buffers = [
        Call('pyarrow.lib.py_buffer', buffer) for buffer in (np.array(offsets, '<i8').tobytes(), texts)
    ]
    kind = Call('pyarrow.lib.type_for_alias', 'large_string')
    array = Call('pyarrow.lib._restore_array', (kind, len(offsets) - 1, -1, 0, [None, *buffers], [], None))
    column = Call('pandas.arrays.ArrowStringArray', state={'_pa_array': array})
    return Call('pandas.core.indexes.base._new_Index', Name('pandas.Index'), {'data': column, 'name': None})
