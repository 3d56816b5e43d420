"""Keep what was fetched in a journal: a file with one JSON object a line.

A line is on the disk before the next call is made, so a run can be killed at any moment and goes on from
there. Of two lines with the same key the later one counts.
"""

import contextlib
import datetime
import io
import json
import os
import sys
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from aniembed.files import RunError, whole_files
from aniembed.settings import path, whole
from aniembed.sites.mal_api import LIST_PAGE

STATUSES, SCORES = {'ok', 'private', 'missing'}, set(range(11))
SLOW = 100e6  # bytes; reading a larger journal takes seconds and has a progress bar
# Of pickles; with 5, which takes half the memory, numpy 2 writes what numpy 1 cannot read
PROTOCOL = 5 if np.lib.NumpyVersion(np.__version__) < '2.0.0' else 4
COMPRESSIONS = {'gz': 'gzip', 'xz': 'xz', 'bz2': 'bz2', 'zip': 'zip'}  # by the end of a pickle's name


# The rules of settings.check() for the globals of the notebooks
REFRESH_DAYS = whole(0, 36_500)
PICKLE = path(endings=('.pkl', *map('.pkl.{}'.format, COMPRESSIONS)))


class Line(NamedTuple):
    """Where an entry is, and what the next run needs to know of it."""

    offset: int  # of its line in the file
    status: str
    fetched: str  # day, such as 2026-11-30; '' if unknown
    calls: int  # that it took to fetch


class Journal:
    """A journal in the file `path`. A subclass defines its entries."""

    first = ''  # the first key of every entry

    def __init__(self, path):
        self.path = path

    def index(self, entry):
        """Return an entry's key, status and number of calls; ValueError if it is not valid."""
        raise NotImplementedError

    @contextlib.contextmanager
    def opened(self):
        """Open the journal to add entries, locked against a second run; yields an Entries.

        A last line that a crash cut off is removed. If most lines are outdated, the file is written anew.
        RunError if it cannot be used.
        """
        try:
            with contextlib.ExitStack() as stack:
                file = stack.enter_context(self._locked())
                entries = Entries(self, file)
                file.truncate(entries.end)
                if not entries.ends_with_newline:
                    file.write(b'\n')
                if entries.number > 2 * len(entries.lines):
                    entries.write_anew()
                    # The old file stays locked until the new one is
                    entries = Entries(self, stack.enter_context(self._locked()))
                yield entries
        except OSError as error:
            raise RunError(
                f'{self.path} cannot be written: {error.strerror}. What it holds is safe; run this again '
                'to go on.'
            ) from None

    @contextlib.contextmanager
    def _locked(self):
        try:
            import fcntl
        except ImportError:
            raise RunError('Windows lacks the lock that guards a journal: run this under WSL.') from None
        with open(self.path, 'a+b') as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process
                is_current = os.path.samestat(os.fstat(file.fileno()), os.stat(self.path))
            except BlockingIOError:
                is_current = False
            if not is_current:
                raise RunError(f'Another run is downloading into {self.path}. Stop it or let it finish.')
            yield file

    @contextlib.contextmanager
    def snapshot(self):
        """Open the journal to read it, also while another run downloads; yields an Entries."""
        try:
            file = open(self.path, 'rb')  # noqa: SIM115, closed below
        except FileNotFoundError:
            file = io.BytesIO()
        except OSError as error:
            raise RunError(f'{self.path} cannot be read: {error.strerror}.') from None
        with file:
            yield Entries(self, file)


class Entries:
    """The entries of an open journal. lines: {key: Line}, in the order of the file.

    RunError for a line that is not valid, except a last line that a crash cut off, which is not read.
    """

    def __init__(self, journal, file):
        self.journal, self.file, self.lines = journal, file, {}
        self.number, self.end, self.ends_with_newline = 0, 0, True  # of the whole lines
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        with tqdm(
            desc=f'reading {journal.path}', total=size, unit='B', unit_scale=True, disable=size < SLOW
        ) as bar:
            for text in file:
                if not self._index(text):
                    break
                bar.update(len(text))

    def _index(self, text):
        """Index one more line of the file; return whether it is whole."""
        try:
            entry = json.loads(text)
            key, status, calls = self.journal.index(entry)
            fetched = entry.get('fetched', '')
            if fetched:
                datetime.date.fromisoformat(fetched)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            head = f'{{"{self.journal.first}"'.encode()
            if not text.endswith(b'\n') and text[: len(head)] == head[: len(text)]:
                return False
            raise RunError(
                f'{self.journal.path}, line {self.number + 1} is not a valid entry: {text[:60]!r}. Correct '
                'or delete that line; nothing was changed.'
            ) from None
        self._add_line(key, Line(self.end, status, sys.intern(fetched), calls))
        self.number, self.end = self.number + 1, self.end + len(text)
        self.ends_with_newline = text.endswith(b'\n')
        return True

    def _add_line(self, key, line):
        self.lines.pop(key, None)  # so that the order is that of the file
        self.lines[key] = line

    def write_anew(self):
        """Write the file without its outdated lines, whole or not at all."""
        with whole_files(self.journal.path) as (new,):
            for key in self.lines:
                new.write(self._text(key))

    def _text(self, key):
        self.file.seek(self.lines[key].offset)
        return self.file.readline()

    def __getitem__(self, key):
        """Return the entry of a key."""
        return json.loads(self._text(key))

    def add(self, entry):
        """Add an entry that was fetched today; it is on the disk when this returns."""
        entry = {**entry, 'fetched': datetime.date.today().isoformat()}
        key, status, calls = self.journal.index(entry)
        offset = self.file.seek(0, os.SEEK_END)
        self.file.write(json.dumps(entry).encode() + b'\n')
        self.file.flush()
        os.fsync(self.file.fileno())
        self._add_line(key, Line(offset, status, entry['fetched'], calls))

    def due(self, keys, refresh_days=0):
        """Return the keys to fetch: first those without an entry, then the old ones, oldest first.

        The first start after the latest entry, so that those that failed in the last run come at their end.
        refresh_days: age in days above which an entry is old; 0: none is.
        """
        keys, latest = list(keys), next(reversed(self.lines), None)
        start = keys.index(latest) + 1 if latest in keys else 0
        new = [key for key in keys[start:] + keys[:start] if key not in self.lines]
        if not refresh_days:
            return new
        limit = (datetime.date.today() - datetime.timedelta(days=refresh_days)).isoformat()
        old = [key for key in keys if key in self.lines and self.lines[key].fetched < limit]
        return new + sorted(old, key=lambda key: self.lines[key].fetched)

    def plan(self, keys, delay):
        """Return a sentence on what it takes to fetch these keys, with `delay` seconds a call."""
        old = [self.lines[key].calls for key in keys if key in self.lines]
        calls = len(keys) - len(old) + sum(old)
        duration = datetime.timedelta(seconds=round(calls * delay))
        return (
            f'To fetch: {len(keys) - len(old):,} for the first time, {len(old):,} again. That takes at least '
            f'{calls:,} calls and {duration} h.'
        )


class RelationsJournal(Journal):
    """Titles with their relations: {'id': MAL id, 'related_anime': as the API gives it, 'fetched': day}."""

    first = 'id'

    def index(self, entry):
        """Return the MAL id, 'ok' and 1."""
        if type(entry['id']) is not int or not isinstance(entry['related_anime'], list):
            raise ValueError
        return entry['id'], 'ok', 1


class ListsJournal(Journal):
    """Members with their lists: {'user', 'status', 'scores': {MAL id: score}, 'fetched': day}.

    status: one of STATUSES. scores: the whole list; a score of 0 is an entry without a score.
    """

    first = 'user'

    def index(self, entry):
        """Return the lower-case username, the status and the calls that a list of this length takes."""
        name, status, scores = entry['user'], entry['status'], entry['scores']
        if not isinstance(name, str) or status not in STATUSES or not SCORES.issuperset(scores.values()):
            raise ValueError
        return name.lower(), sys.intern(status), max(1, -(-len(scores) // LIST_PAGE))

    def table(self, users, mal_ids):
        """Return the lists as a DataFrame, members x titles, float32: 0-10, or NaN where not on the list.

        users: lower-case names in the order of the rows; members that are not among them come last.
        mal_ids: the columns. Labels are plain Python texts and integers, so that every pandas reads the
        pickle. Works while another run downloads. Takes 4 bytes for each member and title.
        """
        column = {str(mal_id): place for place, mal_id in enumerate(mal_ids)}
        names = []
        with self.snapshot() as entries:
            keys = [key for key in dict.fromkeys([*users, *entries.lines]) if key in entries.lines]
            keys = [key for key in keys if entries.lines[key].status == 'ok']
            matrix = np.full((len(keys), len(column)), np.nan, np.float32)
            for row, key in enumerate(tqdm(keys, unit='list')):
                entry = entries[key]
                names.append(entry['user'])
                known = [mal_id for mal_id in entry['scores'] if mal_id in column]
                matrix[row, [column[mal_id] for mal_id in known]] = [entry['scores'][key] for key in known]
        index = pd.Index(names, dtype=object)
        return pd.DataFrame(matrix, index, pd.Index(list(mal_ids), dtype=np.int64), copy=False)


def write_pickle(path, frame):
    """Write a DataFrame as a pickle, compressed as its name says, whole or not at all."""
    with whole_files(path) as (file,):
        frame.to_pickle(file, compression=COMPRESSIONS.get(path.rpartition('.')[2]), protocol=PROTOCOL)
