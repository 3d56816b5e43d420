"""Keep what was fetched in a journal: a file of one JSON object a line that only ever grows.

A line is on the disk before the next call is made, so that a run can be killed at any moment and goes on
where it was.
"""

import contextlib
import json
import os
import re

import numpy as np
import pandas as pd

from aniembed.files import RunError, whole_files
from aniembed.settings import Rule

STATUSES, SCORES = {'ok', 'private', 'missing'}, set(range(11))
# Of pickles; with 5, which takes half the memory, numpy 2 writes what numpy 1 cannot read
PROTOCOL = 5 if np.lib.NumpyVersion(np.__version__) < '2.0.0' else 4
COMPRESSIONS = {'gz': 'gzip', 'xz': 'xz', 'bz2': 'bz2', 'zip': 'zip'}  # by the end of a pickle's name


def _pickle_name(value):
    if not isinstance(value, str) or not re.search(r'\.pkl(\.(gz|xz|bz2|zip))?$', value):
        raise ValueError
    return os.path.expanduser(value)


# The rule of settings.check() for the name of the pickle
PICKLE = Rule(_pickle_name, 'a file name that ends in .pkl, .pkl.gz, .pkl.xz, .pkl.bz2 or .pkl.zip')


class Journal:
    """A journal in the file `path`; the subclasses say what its entries are."""

    first = ''  # the first key of every entry

    def __init__(self, path):
        self.path = path

    def index(self, entry):
        """Return an entry's key and what of it is worth holding in memory; ValueError if it is no entry."""
        raise NotImplementedError

    def read(self):
        """Yield (line, entry) for the whole lines; RunError where one is no entry.

        The last line may have been cut off, by a crash; it is not read. Any other line that is no entry was
        damaged by somebody, and is reported rather than passed over.
        """
        try:
            with open(self.path, 'rb') as file:
                yield from self._whole_lines(file)
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunError(f'{self.path} cannot be read: {error.strerror}.') from None

    def _whole_lines(self, file):
        head = f'{{"{self.first}"'.encode()
        for number, line in enumerate(file, 1):
            try:
                entry = json.loads(line)
                self.index(entry)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                if not line.endswith(b'\n') and line[: len(head)] == head[: len(line)]:
                    return
                raise RunError(
                    f'{self.path}, line {number} is no entry of the journal: {line[:60]!r}. Correct or '
                    'delete that line; nothing was changed.'
                ) from None
            yield line, entry

    @contextlib.contextmanager
    def opened(self):
        """Open for adding, and lock against a second run; yield a Writer. RunError if that fails."""
        try:
            import fcntl
        except ImportError:
            raise RunError('Windows lacks the lock that guards a journal: run this under WSL.') from None
        try:
            with open(self.path, 'a+b') as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process
                except BlockingIOError:
                    raise RunError(
                        f'Another run is downloading into {self.path}. Stop it or let it finish.'
                    ) from None
                done, end, line = {}, 0, b'\n'
                for line, entry in self.read():
                    key, value = self.index(entry)
                    done.pop(key, None)
                    done[key] = value
                    end += len(line)
                file.truncate(end)
                if not line.endswith(b'\n'):  # the next entry begins a line
                    file.write(b'\n')
                yield Writer(self, file, done)
        except OSError as error:
            raise RunError(
                f'{self.path} cannot be written: {error.strerror}. What it holds is safe; run this again '
                'to go on.'
            ) from None


class Writer:
    """A journal that is open for adding. done: {key: value} of its entries, the latest one last."""

    def __init__(self, journal, file, done):
        self.journal, self.file, self.done = journal, file, done

    def add(self, entry):
        """Add an entry; it is on the disk when this returns."""
        key, value = self.journal.index(entry)
        line = json.dumps(entry).encode() + b'\n'
        self.done[key] = value
        self.file.write(line)
        self.file.flush()
        os.fsync(self.file.fileno())

    def left(self, keys):
        """Return the keys without an entry, in their order from the latest entry on.

        So those that failed come at the end and never stand in the way.
        """
        keys, latest = list(keys), next(reversed(self.done), None)
        start = keys.index(latest) + 1 if latest in keys else 0
        return [key for key in keys[start:] + keys[:start] if key not in self.done]


class RelationsJournal(Journal):
    """Titles with their relations: {'id': MAL id, 'related_anime': as the API gives it}."""

    first = 'id'

    def index(self, entry):
        """Return the MAL id and the relations."""
        if type(entry['id']) is not int or not isinstance(entry['related_anime'], list):
            raise ValueError
        return entry['id'], entry['related_anime']


class ListsJournal(Journal):
    """Members with their whole lists: {'user', 'status': one of STATUSES, 'scores': {MAL id: score}}."""

    first = 'user'

    def index(self, entry):
        """Return the lower-case username and the status."""
        scores = set(entry['scores'].values())
        if not isinstance(entry['user'], str) or entry['status'] not in STATUSES or not scores <= SCORES:
            raise ValueError
        return entry['user'].lower(), entry['status']

    def table(self, users, mal_ids, progress=lambda lines, total: lines):
        """Return the lists as a DataFrame, members x titles, float32: 0-10, or NaN where not on the list.

        users: lower-case names in the order of the rows; members that are not among them come last.
        mal_ids: the columns. progress: wraps the lines that are read, as tqdm does. Labels are plain Python
        texts and integers, so that every pandas reads the pickle. Works while another run downloads.
        """
        column = {str(mal_id): place for place, mal_id in enumerate(mal_ids)}
        number = 0
        with contextlib.suppress(FileNotFoundError), open(self.path, 'rb') as file:
            number = sum(1 for _ in file)
        matrix = np.full((number, len(column)), np.nan, dtype=np.float32)
        rows, names = {}, []
        for _, (_, entry) in progress(zip(range(number), self.read()), total=number):
            if entry['status'] == 'ok':
                row = rows.setdefault(entry['user'].lower(), len(rows))
                if row == len(names):
                    names.append(entry['user'])
                matrix[row] = np.nan  # of two entries of one member the later one counts
                known = [mal_id for mal_id in entry['scores'] if mal_id in column]
                matrix[row, [column[mal_id] for mal_id in known]] = [entry['scores'][key] for key in known]
        place = {name: place for place, name in enumerate(users)}
        order = sorted(rows.values(), key=lambda row: place.get(names[row].lower(), len(place)))
        matrix = matrix[: len(names)] if order == list(rows.values()) else matrix[order]
        index = pd.Index([names[row] for row in order], dtype=object)
        return pd.DataFrame(matrix, index, pd.Index(list(mal_ids), dtype=np.int64), copy=False)


def write_pickle(path, frame):
    """Write a DataFrame as a pickle, compressed as its name says, whole or not at all."""
    with whole_files(path) as (file,):
        frame.to_pickle(file, compression=COMPRESSIONS.get(path.rpartition('.')[2]), protocol=PROTOCOL)
