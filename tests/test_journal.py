"""The journal: what was cut off or damaged, full disks, and the table that is made of a journal."""

import contextlib
import datetime
import fcntl
import json
import os
import pickletools
import shutil
import signal

import numpy as np
import pandas as pd
import pytest
from tools.processes import die_while_writing, largest_file

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


def add(path, *names):
    with journal.ListsJournal(path).opened() as entries:
        for name in names:
            entries.add(entry(name))


def test_entries_are_read_again_and_the_other_keys_are_due(path):
    for count, name in enumerate(NAMES):
        with journal.ListsJournal(path).opened() as entries:
            assert list(entries.lines) == [name.lower() for name in NAMES[:count]]
            entries.add(entry(name))
    with journal.ListsJournal(path).opened() as entries:
        # From the latest entry on, so that those that failed come last
        assert entries.due(['ann', 'failed', 'cid_3', 'new']) == ['new', 'failed']
        assert entries.due(['not-there', 'ann']) == ['not-there']
    relations = journal.RelationsJournal(path.with_name('relations.jsonl'))
    with relations.opened() as entries:
        entries.add({'id': 5, 'related_anime': [{'node': {'id': 6}, 'relation_type': 'sequel'}]})
    with relations.snapshot() as entries:
        assert entries[5]['related_anime'][0]['node'] == {'id': 6} and entries.due([5, 6]) == [6]


def day(days):
    return (datetime.date.today() - datetime.timedelta(days=days)).isoformat()


def test_old_lists_are_due_again_oldest_first(path):
    ages = {'ten': 10, 'Unknown': None, 'forty': 40, 'today': 0, 'thirty': 30, 'Private': 41, 'fifty': 50}
    with open(path, 'w') as file:
        for name, age in ages.items():
            fetched = {} if age is None else {'fetched': day(age)}
            scores = dict.fromkeys(map(str, range(2001)), 5) if name == 'forty' else {'1': 5}
            status = 'private' if name == 'Private' else 'ok'
            print(json.dumps({**entry(name, scores, status), **fetched}), file=file)
    users = ['new', 'forty', 'private', 'fifty', 'thirty', 'today', 'unknown', 'ten', 'newer']
    with journal.ListsJournal(path).opened() as entries:
        assert entries.due(users) == ['newer', 'new']
        due = entries.due(users, 30)
        assert due == ['newer', 'new', 'unknown', 'fifty', 'private', 'forty']
        plan = entries.plan(due, 900)  # forty's list takes three calls
        assert '2 for the first time, 4 again' in plan and 'at least 8 calls and 2:00:00 h' in plan
        for name in due:
            entries.add(entry(name))
        assert entries.due(users, 30) == []
        assert entries.due(users, 9) == ['thirty', 'ten']


def test_a_journal_with_most_lines_outdated_is_written_anew(path, lines):
    """Whole or not at all, if it is killed meanwhile, too."""
    path.write_bytes(b'\n'.join([*lines * 2, json.dumps(entry('Ann', {'1': 9})).encode(), b'']))
    old = path.read_bytes()
    for step in 1, 2:
        child = os.fork()
        if not child:
            die_while_writing(step)
            journal.ListsJournal(path).opened().__enter__()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL and path.read_bytes() == old
    with journal.ListsJournal(path).opened() as entries:
        with pytest.raises(RunError, match='Another run'), journal.ListsJournal(path).opened():
            pass
        entries.add(entry('Zoe'))
    current = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [(one['user'], one['scores']['1']) for one in current] == [
        *(('bob', 5), ('Cid_3', 5), ('Ann', 9), ('Zoe', 5))
    ]


def test_no_run_locks_a_file_that_another_has_just_replaced(path, lines, monkeypatch):
    def replace_and_lock(file, how, lock=fcntl.flock):
        os.replace(shutil.copy(path, f'{path}.tmp'), path)
        lock(file, how)

    path.write_bytes(lines[0] + b'\n')
    monkeypatch.setattr(fcntl, 'flock', replace_and_lock)
    with pytest.raises(RunError, match='Another run'), journal.ListsJournal(path).opened():
        pass


@pytest.mark.parametrize('cut, stays', [(1, False), (-1, False), (None, True)])
def test_a_line_that_was_cut_off_is_taken_away_unless_it_lacks_only_its_end(path, lines, cut, stays):
    path.write_bytes(b'\n'.join([*lines[:2], lines[2][:cut]]))
    names = [*NAMES[: 2 + stays], 'Zoe']
    add(path, 'Zoe')
    assert [json.loads(line)['user'] for line in path.read_bytes().splitlines()] == names


ENTRY = b'{"user": "Ann", "status": "%s", "scores": %s}'
BAD = [b'', b'[]', b'{"user": "cut', b'\xff' * 30, ENTRY % (b'gone', b'{}'), ENTRY % (b'ok', b'{"1": 11}')]
BAD += [ENTRY % (b'ok', b'{}, "fetched": "yesterday"')]


@pytest.mark.parametrize('bad', BAD)
def test_damage_is_named_with_its_line_and_left_as_it_is(path, lines, bad):
    damaged = b'\n'.join([lines[0], bad, lines[1]]) + b'\n'
    path.write_bytes(damaged)
    with pytest.raises(RunError, match='lists.jsonl, line 2 is not a valid entry'):
        journal.ListsJournal(path).opened().__enter__()
    assert path.read_bytes() == damaged


def test_a_full_disk_loses_nothing(path):
    long = [entry(f'member{i}', {str(k): 5 for k in range(100)}) for i in range(20)]
    full = pytest.raises(RunError, match='cannot be written: File too large.*run this again')
    with largest_file(9000), full, journal.ListsJournal(path).opened() as lists:
        for one in long:
            lists.add(one)
    with journal.ListsJournal(path).opened() as lists:
        assert 0 < len(lists.lines) < 20
        for one in long[len(lists.lines) :]:
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
    """Rows in the order of the users, the later of two entries, no private lists, only wanted titles."""
    entries = [
        entry('Late', {'5': 8, '7': 0, '99': 10}),
        entry('Ann', {'7': 3}),
        entry('secret', status='private'),
        entry('other', {}),
        entry('late', {'5': 9}),
        *(entry('gone'), entry('shut'), entry('gone', status='missing'), entry('Shut', status='private')),
    ]
    path.write_text(''.join(json.dumps(one) + '\n' for one in entries))
    table = journal.ListsJournal(path).table(['ann', 'late'], [7, 5])
    rows = [[3, np.nan], [np.nan, 9], [np.nan, np.nan]]
    expected = pd.DataFrame(rows, pd.Index(['Ann', 'late', 'other'], dtype=object), [7, 5], dtype='float32')
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
