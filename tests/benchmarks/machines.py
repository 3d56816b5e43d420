#!/usr/bin/env python3
"""Measure one run shared by 1, 2 and 4 workers of MXNet's parameter server, all of them on this machine.

    python3 tests/benchmarks/speed.py --titles 3000 --folder FOLDER      # makes the inputs
    unshare -rn python3 tests/benchmarks/machines.py FOLDER [NAME=value ...]

Prints the seconds of a processor that a worker takes for its share of each stage (the map is not drawn), and
the bytes that all processes send. These are counted at the loopback device, which `unshare` (Linux) makes
this run's own. Each process has one thread.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WORKERS = (1, 2, 4)
PORT = '9092'
# A worker that says what its stages take; it is given the names of the outputs and the arguments
WORKER = """
import json, resource, sys, embeddings
from aniembed import machines
from aniembed.inputs import ratings

laps, last = {}, 0
def lap(name):
    global last
    usage = resource.getrusage(resource.RUSAGE_SELF)
    now = usage.ru_utime + usage.ru_stime
    laps[name], last = laps.get(name, 0) + now - last, now

def timed(owner, name, before, after):
    function = getattr(owner, name)
    def run(*given):
        lap(before)
        result = function(*given)
        lap(after)
        return result
    setattr(owner, name, run)

timed(embeddings, 'learn', 'start', 'rest')
timed(ratings, 'read_lists', 'rest', 'reading')
timed(machines.Workers, 'sum', 'index', 'sums')
timed(embeddings, 'target_of', 'rest', 'target')
timed(embeddings, 'train', 'rest', 'net')
embeddings.similarity_map.draw = lambda folder: []
embeddings.main(sys.argv[2:])
laps['peak memory, GB'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
json.dump(laps, open(sys.argv[1], 'w'))
"""


def sent_bytes():
    """Return how many bytes have gone over the loopback device."""
    lines = Path('/proc/net/dev').read_text().splitlines()
    return next(int(line.split(':')[1].split()[0]) for line in lines if line.strip().startswith('lo:'))


def run(workers, folder, arguments):
    """Run with so many workers; return what each of them says, and the bytes that were sent."""
    shared = {
        **os.environ, 'DMLC_PS_ROOT_URI': '127.0.0.1', 'DMLC_PS_ROOT_PORT': PORT, 'DMLC_INTERFACE': 'lo',
        'DMLC_NUM_SERVER': '1', 'DMLC_NUM_WORKER': str(workers), 'OMP_NUM_THREADS': '1',
        'OPENBLAS_NUM_THREADS': '1', 'PS_HEARTBEAT_TIMEOUT': '120', 'PYTHONPATH': str(ROOT),
    }  # fmt: skip
    laps = [folder / f'laps-{number}.json' for number in range(workers)]
    commands = [('scheduler', ['embeddings.py']), ('server', ['embeddings.py'])]
    commands += [('worker', ['-c', WORKER, path]) for path in laps]
    before = sent_bytes()
    machines = [
        subprocess.Popen(
            [sys.executable, *command, 'KVSTORE=dist_sync', *arguments],
            cwd=ROOT, env={**shared, 'DMLC_ROLE': role}, stdout=subprocess.DEVNULL,
        )
        for role, command in commands
    ]  # fmt: skip
    if any([machine.wait() for machine in machines]):
        sys.exit('a process of the run has failed')
    return [json.loads(path.read_text()) for path in laps], sent_bytes() - before


def main():
    """Measure, and print one line for each number of workers."""
    if len(sys.argv) < 2 or '--help' in sys.argv:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    titles = len(json.loads((folder / 'animes.json').read_text()))
    arguments = [
        'ANIME_LIST=', f'TOP={titles}', f'ANIME_DATA={folder}/animes.json',
        f'ANIME_DATA_LIST={folder}/ratings.csv', f'OUTPUT_DIR={folder}/output', *sys.argv[2:],
    ]  # fmt: skip
    for workers in WORKERS:
        laps, sent = run(workers, folder, arguments)
        mean = {name: sum(lap[name] for lap in laps) / workers for name in laps[0]}
        print(f'{workers} workers: {sent / 1e6:,.0f} MB sent; a worker takes', end=' ')
        print(', '.join(f'{name} {value:.1f}' for name, value in mean.items()), flush=True)


if __name__ == '__main__':
    main()
