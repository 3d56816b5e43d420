"""The journal: what was cut off or damaged, full disks, and the table that is made of a journal."""

import contextlib
import fcntl
import json
import pickletools

import numpy as np
import pandas as pd
import pytest
from tools.processes import largest_file

from aniembed.files import RunError
from aniembed.sites import journal

NAMES = ['Ann', 'bob', 'Cid_3']


def entry(user, scores=(), status='ok'):
    return {'user': user, 'status': status, 'scores': dict(scores or {'1': 5})}


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'lists.jsonl'


@pytest.fixture
def lines():
    return [json.dumps(entry(name)).encode() for name in NAMES]


def test_what_was_added_is_read_again_and_the_rest_is_left(path):
    for count, name in enumerate(NAMES):
        with journal.ListsJournal(path).opened() as lists:
            assert list(lists.done) == [name.lower() for name in NAMES[:count]]
            assert lists.left(['cid_3', 'ann', 'zoe', 'bob'])[-1] != name.lower() or count == 2
            lists.add(entry(name))
    with journal.ListsJournal(path).opened() as lists:
        # From the latest entry on, so that those that failed come last.
        assert lists.left(['ann', 'failed', 'cid_3', 'new']) == ['new', 'failed']
        assert lists.left(['not-there', 'ann']) == ['not-there']
    relations = journal.RelationsJournal(path.with_name('relations.jsonl'))
    with relations.opened() as added:
        added.add({'id': 5, 'related_anime': [{'node': {'id': 6}, 'relation_type': 'sequel'}]})
    with relations.opened() as added:
        assert added.done[5][0]['node'] == {'id': 6} and added.left([5, 6]) == [6]


@pytest.mark.parametrize('cut, stays', [(1, False), (-1, False), (None, True)])
def test_a_line_that_was_cut_off_is_taken_away_unless_it_lacks_only_its_end(path, lines, cut, stays):
    path.write_bytes(b'\n'.join([*lines[:2], lines[2][:cut]]))
    names = [*NAMES[: 2 + stays], 'Zoe']
    with journal.ListsJournal(path).opened() as lists:
        lists.add(entry('Zoe'))
    assert [json.loads(line)['user'] for line in path.read_bytes().splitlines()] == names


ENTRY = b'{"user": "Ann", "status": "%s", "scores": %s}'
BAD = [b'', b'[]', b'{"user": "cut', b'\xff' * 30, ENTRY % (b'gone', b'{}'), ENTRY % (b'ok', b'{"1": 11}')]


@pytest.mark.parametrize('bad', BAD)
def test_damage_is_named_with_its_line_and_left_as_it_is(path, lines, bad):
    damaged = b'\n'.join([lines[0], bad, lines[1]]) + b'\n'
    path.write_bytes(damaged)
    with pytest.raises(RunError, match='lists.jsonl, line 2 is no entry'):
        journal.ListsJournal(path).opened().__enter__()
    assert path.read_bytes() == damaged


def test_a_full_disk_loses_nothing(path):
    long = [entry(f'member{i}', {str(k): 5 for k in range(100)}) for i in range(20)]
    full = pytest.raises(RunError, match='cannot be written: File too large.*run this again')
    with largest_file(9000), full, journal.ListsJournal(path).opened() as lists:
        for one in long:
            lists.add(one)
    with journal.ListsJournal(path).opened() as lists:
        assert 0 < len(lists.done) < 20
        for one in long[len(lists.done) :]:
            lists.add(one)
    assert len(journal.ListsJournal(path).table([], range(100))) == 20


def test_a_second_run_is_refused_but_may_make_the_table(path, lines):
    with open(path, 'ab') as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(lines[0] + b'\n{"user": "in the mid')  # what another process sees while a line is written
        held.flush()
        with pytest.raises(RunError, match='Another run'), journal.ListsJournal(path).opened():
            pass
        assert list(journal.ListsJournal(path).table(['ann'], [1]).index) == ['Ann']
    assert path.read_bytes().endswith(b'in the mid')


def test_the_table(path):
    """Rows in the order of the users, the later of two entries, no private lists, only the wanted titles."""
    entries = [
        entry('Late', {'5': 8, '7': 0, '99': 10}),
        entry('Ann', {'7': 3}),
        entry('secret', status='private'),
        entry('other', {}),
        entry('late', {'5': 9}),
    ]
    path.write_text(''.join(json.dumps(one) + '\n' for one in entries))
    table = journal.ListsJournal(path).table(['ann', 'late'], [7, 5])
    rows = [[3, np.nan], [np.nan, 9], [np.nan, np.nan]]
    expected = pd.DataFrame(rows, pd.Index(['Ann', 'Late', 'other'], dtype=object), [7, 5], dtype='float32')
    pd.testing.assert_frame_equal(table, expected)
    assert journal.ListsJournal(path.with_name('none')).table([], [7]).empty


@pytest.mark.parametrize('suffix', ['.pkl', '.pkl.gz'])
def test_pickles_hold_nothing_but_plain_tables(path, lines, suffix):
    """Even where pandas would make its own kind of text labels, as pandas 3 does."""
    path.write_bytes(b'\n'.join(lines))
    pickled = str(path.with_name(f'lists{suffix}'))
    has_option = hasattr(pd.options, 'future') and hasattr(pd.options.future, 'infer_string')  # pandas 2.1
    with pd.option_context('future.infer_string', True) if has_option else contextlib.nullcontext():
        journal.write_pickle(pickled, journal.ListsJournal(path).table(['bob'], [1, 2]))
    table = pd.read_pickle(pickled)
    assert list(table.index) == ['bob', 'Ann', 'Cid_3'] and table.index.dtype == object
    assert table.columns.dtype == np.int64 and set(table.dtypes) == {np.dtype('float32')}
    if suffix == '.pkl':
        with open(pickled, 'rb') as file:
            texts = [argument for _, argument, _ in pickletools.genops(file) if isinstance(argument, str)]
        assert not [text for text in texts if 'Arrow' in text or 'String' in text], texts
        assert [text for text in texts if 'numpy' in text]
