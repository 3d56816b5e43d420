"""Speed and memory of lists_download.ipynb: what a list costs on our side, and what the table takes.

    python3 tests/benchmarks/downloads.py

prints two tables; takes about two minutes, 1.5 GB of memory and 2 GB in the temporary folder. The first: a
local server that answers at once, DELAY = 0, and a journal that already holds few or many lists. The second:
100,000 lists of 200 entries, 3,000 titles.
"""

import itertools
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[levels]) for levels in (1, 2)]
from tools.mal_server import CLIENT_ID, Handler, Server, Site  # noqa: E402

from aniembed.sites import journal, mal_api  # noqa: E402

MORE, TITLES, LENGTH = 300, 3000, 200  # lists that are fetched, titles of the table, entries of a list
FEW, MANY = 100, 100_000  # lists that the journal holds before
BODY = json.dumps(
    {
        'data': [
            {
                'node': {'id': i, 'title': f'Title {i}'},
                'list_status': {'status': 'completed', 'score': i % 11},
            }
            for i in range(1, LENGTH + 1)
        ],
        'paging': {},
    }
).encode()


class AtOnce(Handler):
    """The same list for everybody, ready made."""

    def answer(self, path):
        return 200, BODY, {}


def write_journal(path, members):
    rng = np.random.default_rng(1)
    with open(path, 'w') as file:
        for member in range(members):
            places = np.unique((rng.random(LENGTH) ** 2 * TITLES).astype(int))
            others = np.setdiff1d(rng.permutation(TITLES), places)[: LENGTH - len(places)]
            ids = (np.concatenate([places, others]) + 1).astype(str).tolist()
            scores = dict(zip(ids, rng.integers(0, 11, LENGTH).tolist()))
            file.write(json.dumps({'user': f'member{member}', 'status': 'ok', 'scores': scores}) + '\n')


def fetch(server, path, journalled):
    """Fetch MORE lists as the notebook does; print the pace on our side."""
    client = mal_api.MyAnimeList(f'{server.url}/v2', CLIENT_ID, delay=0)
    before, began = len(server.calls), time.monotonic()
    with journal.ListsJournal(path).opened() as entries:
        for name in entries.due(f'member{number}' for number in range(journalled + MORE)):
            entries.add(client.list_entry(name))
    calls = [call.time for call in server.calls[before:]]
    tenth, half = np.quantile(np.diff(calls) * 1000, (0.1, 0.5))
    print(
        f'{journalled:>9,} in the journal   fastest tenth {tenth:5.2f}   median {half:5.2f} ms   '
        f'{calls[0] - began:5.1f} s to the first',
        flush=True,
    )


def main():
    with tempfile.TemporaryDirectory() as folder, Server(Site(members=20, titles=20)) as server:
        server.RequestHandlerClass = AtOnce
        print(f'{MORE} lists: milliseconds from one call to the next; seconds from opening to the first call')
        paths = {journalled: Path(folder) / f'{journalled}.jsonl' for journalled in (FEW, MANY)}
        for journalled, path in paths.items():
            write_journal(path, journalled)
        for _ in range(3):
            for journalled, path in paths.items():
                with open(path, 'r+b') as file:  # begins after the same lists each time
                    file.truncate(sum(len(line) for line in itertools.islice(file, journalled)))
                fetch(server, path, journalled)
        print(f'\n{MANY + MORE:,} lists x {TITLES:,} titles, {LENGTH * (MANY + MORE):,} entries')
        users = [f'member{number}' for number in range(MANY + MORE)]
        began = time.monotonic()
        table = journal.ListsJournal(paths[MANY]).table(users, range(1, TITLES + 1))
        print(f'the table  {time.monotonic() - began:6.1f} s')
        began = time.monotonic()
        journal.write_pickle(str(Path(folder) / 'dataframe.pkl'), table)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f'the pickle {time.monotonic() - began:6.1f} s   peak {peak:.2f} GB')


if __name__ == '__main__':
    main()
