"""The reader of pickles reads what pandas writes, calls nothing that they name, and survives any bytes.

That it reads every form of a table stands in test_ratings.py.
"""

import functools
import gzip
import itertools
import os
import pickle
import struct
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tools.pickles import SCORES, Call, Name, arrow_index, floats, table
from tools.planted import planted_scores, table_of
from tools.spoil import in_a_child, outcomes, spoiled

from aniembed.files import RunError
from aniembed.inputs import pickles
from aniembed.inputs.pickles import read_dataframe

PICKLES = Path(__file__).parent / 'cases' / 'pickles'


def table_of_scores():
    """Return a small table of scores."""
    return table_of(planted_scores(12)[0][:, :10])


def numbers(frame):
    return frame.to_numpy(np.float64, na_value=np.nan)


# ---- what is read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize('path', sorted(PICKLES.iterdir()), ids=lambda path: path.name)
def test_pickles_of_other_versions_are_read(path):
    """Each holds the same two invented lists of two titles; some write the ids as texts."""
    read = read_dataframe(path)
    assert list(read.index) == ['ann', 'bob'] and [int(mal_id) for mal_id in read.columns] == [1000, 1007]
    np.testing.assert_array_equal(numbers(read), [[8, 0], [np.nan, 5]])


# ---- attacks -----------------------------------------------------------------------------------------------


class Attack:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks(canary):
    """Return calls that would make the file `canary`, read files or ask the network."""
    return {
        'os.system': Attack(os.system, f'touch {canary}'),
        'eval': Attack(eval, f'open({str(canary)!r}, "w")'),
        'read_csv': Attack(pd.read_csv, 'http://127.0.0.1:9/'),
        'partial': Attack(functools.partial, os.system, f'touch {canary}'),
        'to_pickle': Attack(pd.DataFrame.to_pickle, table_of_scores(), str(canary)),
    }


@pytest.mark.parametrize('name', attacks(''))
def test_a_pickle_that_names_anything_else_is_refused_and_not_run(tmp_path, name):
    canary, path = tmp_path / 'canary', tmp_path / 'lists.pkl'
    inside = table_of_scores().astype(object)
    inside.iat[0, 0] = attacks(canary)[name]
    for payload, protocol in itertools.product((inside, attacks(canary)[name]), (0, 2, 5)):
        path.write_bytes(pickle.dumps(payload, protocol))
        with pytest.raises(RunError, match='refused') as refusal:
            read_dataframe(path, 'ANIME_DATA_LIST')
        assert f'ANIME_DATA_LIST ({path})' in str(refusal.value)
    assert not canary.exists()


def test_names_are_refused_before_they_are_looked_up(tmp_path):
    """Every opcode that names or calls something meets a module that would leave a mark if only imported."""
    (tmp_path / 'trap.py').write_text(f'open({str(tmp_path / "mark")!r}, "w")')
    naming = [b'ctrap\nx\n', b'\x8c\x04trap\x8c\x01x\x93', b'(itrap\nx\n', b'ctrap\nx\n)\x81']
    naming += [b'ctrap\nx\n)}\x92', b'(ctrap\nx\no', b'ctrap\nx\n)R']

    def read_all():
        sys.path.insert(0, str(tmp_path))
        for opcodes in naming:
            (tmp_path / 'lists.pkl').write_bytes(b'\x80\x04' + opcodes + b'.')
            with pytest.raises(RunError, match='refused'):
                read_dataframe(tmp_path / 'lists.pkl')

    in_a_child(read_all)
    assert not (tmp_path / 'mark').exists()


# ---- sizes and shapes that lie, work without end -----------------------------------------------------------


def hostile_pickles():
    """Return what mutations do not find: sizes that numpy and pickle would believe, work without end."""
    new_index, kind = 'pandas.core.indexes.base._new_Index', Name('pandas.RangeIndex')
    endless = Call(new_index, kind, {'start': 0, 'stop': 10**15, 'step': 1})
    pointers = Call('numpy.dtype', 'O8', False, True, state=(3, '|', None, None, None, -1, -1, 63))
    everything = slice(0, 2, 1)

    def array(dtype):
        state = (1, (2, 2), dtype, False, b'A' * 32)
        return Call('numpy.core.multiarray._reconstruct', state=state), everything

    def of_opcodes(opcodes):
        return b'\x80\x04' + opcodes + b'.'

    return {
        'no table': pickle.dumps({'a': 1}),
        'numbers as pointers': table(array(pointers)),
        'columns twice': table((SCORES[0], floats((2,), bytes(16)))),
        'an array of terabytes': table((floats((10**7, 10**6), b''), everything)),
        'rows without end': table(SCORES, index=endless),
        'Arrow: a negative offset': table(SCORES, index=arrow_index([-5, 1, 2], b'ab')),
        'a name of control codes': of_opcodes(b'\x8c\x05\x1b[2J\n\x8c\x05\x1b[2J\n\x93'),
        'bytes of terabytes': of_opcodes(b'\x8e' + struct.pack('<Q', 1 << 42) + b'abc'),
        'a key that takes forever to hash': of_opcodes(b'})' + b'2\x86' * 100 + b'Ns'),
        'a memo of gigabytes': of_opcodes(b')r\xff\xff\xff\x7f'),
        'nested lists': of_opcodes(b']' * 100_000 + b'a' * 99_999),
        'cut off': pickle.dumps(table_of_scores())[:-200],
    }


@pytest.mark.parametrize('name', hostile_pickles())
def test_hostile_and_damaged_pickles_end_in_a_sentence(tmp_path, name):
    assert outcomes(reader(tmp_path), [hostile_pickles()[name]], RunError) == {'read': 0, 'refused': 1}


def test_a_file_that_unpacks_to_more_than_the_memory_there_is(tmp_path, monkeypatch):
    monkeypatch.setattr(pickles, 'memory_of_machine', lambda: 100 << 20)
    zeros = gzip.compress(bytes(1 << 25), 1)
    read, memory = reader(tmp_path), 'asks for more memory than there is'
    with pytest.raises(RunError, match=memory):  # one piece of 200 MB
        read(gzip.compress(b'\x80\x04\x8e' + struct.pack('<Q', 200 << 20)) + zeros * 7)


def reader(folder):
    def read(content):
        (folder / 'lists.pkl').write_bytes(content)
        frame = read_dataframe(folder / 'lists.pkl')
        assert len(frame) <= pickles.MAX_ROWS

    return read


OPCODES = [bytes([code]) for code in b'Rb\x81012.()\x94su\x85N']
OPCODES += [b'h\x01', b'h\x05', b'K\xff', b'J\xff\xff\xff\x7f', b'\x8a\x08' + b'\xff' * 7 + b'\x7f']
OPCODES += [code + b'\xff' * 7 + b'\x0f' for code in (b'\x8e', b'\x95')]
FORMS = {'mixed': {1000: object, 1007: 'float32'}, 'objects': object}


@pytest.mark.parametrize('form', [*FORMS, 'pyarrow'])
def test_mutated_pickles_end_in_a_sentence(tmp_path, form):
    good = (PICKLES / 'pandas3.1-pyarrow26.pkl').read_bytes()
    if form != 'pyarrow':
        good = pickle.dumps(table_of_scores().astype(FORMS[form]), 5)
    read = reader(tmp_path)
    read(good)
    ends = outcomes(read, spoiled(good, 300, OPCODES, 1), RunError)
    assert ends['refused'] > 100, ends
