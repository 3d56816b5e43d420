"""Speed and memory of lists_download.ipynb: what a list costs on our side, and what the pickle's cell takes.

    python3 tests/benchmark_downloads.py

prints two tables; takes about three minutes, 3 GB of memory and 2 GB in the temporary folder. The first table: a local
server that answers at once, DELAY = 0, and a journal that already holds few or many lists. The second: 100,000 lists,
20 million scores, 3,000 titles.
"""

import itertools
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from mal_server import Handler, Server, Site
from test_downloads import LISTS, Kernel, cell, code_cells

MORE, TITLES = 300, 3000
BODY = json.dumps(
    {
        'data': [
            {'node': {'id': i, 'title': f'Title {i}'}, 'list_status': {'status': 'completed', 'score': i % 11}}
            for i in range(1, 201)
        ],
        'paging': {},
    }
).encode()


class AtOnce(Handler):
    """The same list of 200 entries for everybody, ready made."""

    def answer(self, path):
        return 200, BODY, {}


def write_inputs(folder, journalled, more):
    """A journal of as many lists of 200 scores, and users.txt with `more` names beyond them."""
    rng = np.random.default_rng(1)
    with open(folder / 'lists.jsonl', 'w') as journal:
        for member in range(journalled):
            places = np.unique((rng.random(200) ** 2 * TITLES).astype(int))
            places = np.concatenate([places, np.setdiff1d(rng.permutation(TITLES), places)[: 200 - len(places)]])
            scores = dict(zip((places + 1).astype(str).tolist(), rng.integers(0, 11, 200).tolist()))
            journal.write(json.dumps({'user': f'member{member}', 'status': 'ok', 'scores': scores}) + '\n')
    (folder / 'users.txt').write_text(''.join(f'member{member}\n' for member in range(journalled + more)))
    (folder / 'animelist.txt').write_text(''.join(f'{i}\n' for i in range(1, TITLES + 1)))


def main():
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many, Server(
        Site(members=20, titles=20)
    ) as server:
        server.RequestHandlerClass = AtOnce
        print(f'{MORE} lists, milliseconds from one call to the next; seconds from starting the cell to the first call')
        for folder, journalled in ((Path(few), 100), (Path(many), 100_000)):
            write_inputs(folder, journalled, MORE)
        for attempt in range(3):
            for folder, journalled in ((Path(few), 100), (Path(many), 100_000)):
                with open(folder / 'lists.jsonl', 'r+b') as journal:  # begins after the same lists each time
                    journal.truncate(sum(len(line) for line in itertools.islice(journal, journalled)))
                kernel, before = Kernel(), len(server.calls)
                assert kernel.run(LISTS, folder, until='def opened_journal', API_URL=f'{server.url}/v2') is None
                began = time.monotonic()
                assert kernel.run_cell(cell(LISTS, 'left, bar')), kernel.error
                calls = [call.time for call in server.calls[before:]]
                assert len(calls) == MORE
                tenth, half = np.quantile(np.diff(calls) * 1000, (0.1, 0.5))
                print(
                    f'{journalled:>9,} in the journal   fastest tenth {tenth:5.2f}   median {half:5.2f} ms'
                    f'   {calls[0] - began:5.1f} s to the first',
                    flush=True,
                )
                kernel.close()

        kernel = Kernel()
        assert kernel.run(LISTS, many, until='class PoliteAdapter', API_URL=f'{server.url}/v2') is None, kernel.error
        print(f'\ncell by cell, {100_000 + MORE:,} lists x {TITLES:,} titles, {200 * (100_000 + MORE):,} scores')
        cells = list(code_cells(LISTS))
        start = cells.index(cell(LISTS, 'def table_of_lists'))
        for name, source in zip(('the pickle', 'figures for the filters', 'plots', 'titles on most lists'), cells[start:]):
            began, kernel.text = time.monotonic(), ''
            assert kernel.run_cell(source), kernel.error
            seconds, kernel.text = time.monotonic() - began, ''
            kernel.run_cell('import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)')
            print(f'{name:25} {seconds:6.1f} s   peak so far {float(kernel.text):.2f} GB', flush=True)
        kernel.close()


if __name__ == '__main__':
    main()
