"""Speed and memory of lists_download.ipynb: what a list costs on our side, and what the pickle's cell takes.

    python3 tests/benchmark_downloads.py

prints two tables; takes about three minutes, 3 GB of memory and 2 GB in the temporary folder. The first table: a local
server that answers at once, DELAY = 0, and a journal that already holds few or many lists. The second: 100,000 lists,
20 million scores, 3,000 titles.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mal_server import Handler, Server, Site  # noqa: E402
from test_downloads import LISTS, Kernel, code_cells  # noqa: E402

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
        print(f'from one call to the next, {MORE} lists, milliseconds on our side (median, middle half)')
        for folder, journalled in ((Path(few), 100), (Path(many), 100_000)):
            write_inputs(folder, journalled, MORE)
        for attempt in range(3):
            for folder, journalled in ((Path(few), 100), (Path(many), 100_000)):
                with open(
                    folder / 'lists.jsonl', 'r+b'
                ) as journal:  # the download begins after the same lists each time
                    lines = (len(line) for number, line in enumerate(journal) if number < journalled)
                    journal.truncate(sum(lines))
                kernel, before = Kernel(), len(server.calls)
                assert kernel.run(LISTS, folder, until='left, bar', API_URL=f'{server.url}/v2') is None, kernel.error
                gaps = np.diff([call.time for call in server.calls[before:]]) * 1000
                assert len(gaps) == MORE - 1
                print(
                    f'{journalled:>9,} in the journal  {np.quantile(gaps, 0.5):6.2f}  '
                    f'({np.quantile(gaps, 0.25):.2f} to {np.quantile(gaps, 0.75):.2f})',
                    flush=True,
                )
                kernel.close()

        kernel = Kernel()
        assert kernel.run(LISTS, many, until='class PoliteAdapter', API_URL=f'{server.url}/v2') is None, kernel.error
        print(f'\nthe pickle, {100_000 + MORE:,} lists x {TITLES:,} titles, {200 * (100_000 + MORE):,} scores')
        cells = list(code_cells(LISTS))
        start = next(i for i, source in enumerate(cells) if 'def table_of_lists' in source)
        for source in cells[start:]:
            began, kernel.text = time.monotonic(), ''
            assert kernel.run_cell(source), kernel.error
            seconds, kernel.text = time.monotonic() - began, ''
            kernel.run_cell('import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)')
            print(
                f'{source.splitlines()[0][:60]:60}  {seconds:6.1f} s  peak so far {float(kernel.text):.2f} GB',
                flush=True,
            )
        kernel.close()


if __name__ == '__main__':
    main()
