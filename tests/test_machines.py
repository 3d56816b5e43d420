"""aniembed/machines.py: scheduler, server and two workers of MXNet's parameter server, on 127.0.0.1."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from tools.planted import arguments_for, ids_of, planted_scores, write_inputs
from tools.processes import ROOT, fork, is_sentence, wait_until

import embeddings
from aniembed import settings, similarity
from aniembed.files import UsageError
from aniembed.inputs import ratings
from aniembed.machines import join_workers

ROLES = ('scheduler', 'server', 'worker', 'worker')


def free_port():
    """Return a port that is free and that nobody is given who asks for any port: those are 32768 and more."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(('127.0.0.1', port))
            return port


def environments(silence):
    """Return the environment of each of ROLES; silence: seconds after which a machine counts as gone."""
    port = str(free_port())
    addresses = {'DMLC_PS_ROOT_URI': '127.0.0.1', 'DMLC_PS_ROOT_PORT': port, 'DMLC_INTERFACE': 'lo'}
    numbers = {'DMLC_NUM_SERVER': '1', 'DMLC_NUM_WORKER': '2', 'OMP_NUM_THREADS': '1'}
    shared = {**os.environ, **addresses, **numbers, 'PS_HEARTBEAT_TIMEOUT': str(silence)}
    return [{**shared, 'DMLC_ROLE': role} for role in ROLES]


# A worker that keeps its W, and whose map takes longer to draw than a machine may be silent
WORKER = """
import os, sys, time, numpy, embeddings
target_of = embeddings.target_of
def keep(sums, *settings):
    numpy.save(f'{os.environ["SUMS"]}/sums-{os.getpid()}.npy', sums)
    return target_of(sums, *settings)
embeddings.target_of = keep
embeddings.similarity_map.draw = lambda config: time.sleep(6.5) or []
embeddings.main(sys.argv[1:])
"""


@pytest.mark.slow
def test_two_workers_find_what_one_process_finds(tmp_path, monkeypatch):
    scores, _ = planted_scores(5000)  # three blocks of lists
    arguments = ['KVSTORE=dist_sync', *write_inputs(tmp_path, scores)]
    monkeypatch.setenv('SUMS', str(tmp_path))
    machines = []
    for environment in environments(silence=5):
        program = ['-c', WORKER] if environment['DMLC_ROLE'] == 'worker' else ['embeddings.py']
        options = {'cwd': ROOT, 'env': environment, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
        machines.append(subprocess.Popen([sys.executable, *program, *arguments], text=True, **options))
    said = [machine.communicate(timeout=300)[1] for machine in machines]
    assert ([machine.returncode for machine in machines], said) == ([0] * 4, [''] * 4)
    alone = similarity.PairSums(np.full(48, 6.5, np.float32), embeddings.MARGIN)
    config = settings.read((), embeddings.SETTINGS)
    for block in ratings.read_lists([str(tmp_path / 'dataframe.pkl')]).blocks(ids_of(48)):
        alone.add(embeddings.select_lists(block, config)[0])
    shared = [np.load(path) for path in tmp_path.glob('sums-*.npy')]
    assert len(shared) == 2
    for sums in shared:
        np.testing.assert_allclose(sums, alone.total(), rtol=1e-5)
    lists = json.loads((tmp_path / 'output' / 'settings.json').read_text())['lists']
    assert lists['read'] == 5000 > lists['kept'] > 4000


@pytest.fixture
def forks(tmp_path):
    """Return a function that runs the four roles in forks, and their process ids when all are at work."""
    children = []

    def start(arguments):
        for number, environment in enumerate(environments(silence=3)):
            outputs = tmp_path / f'{number}.stdout', tmp_path / f'{number}.stderr'
            before = partial(os.environ.update, environment)
            children.append(fork(embeddings.main, arguments, *outputs, before))
        outputs = tmp_path / '2.stdout', tmp_path / '3.stdout'
        wait_until(lambda: all(path.exists() and 'lists:' in path.read_text() for path in outputs))
        time.sleep(1)  # now they train
        return children

    yield start
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize(
    'victim, number',
    [(0, signal.SIGKILL), (1, signal.SIGKILL), (2, signal.SIGKILL), (3, signal.SIGINT)],
    ids=['scheduler', 'server', 'worker', 'worker stopped by Ctrl-C'],
)
def test_a_machine_that_dies_ends_the_others(planted, tmp_path, forks, victim, number):
    arguments = [*arguments_for(planted.folder, tmp_path / 'output'), 'KVSTORE=dist_sync', 'EPOCHS=1000000']
    children = forks(arguments)
    os.kill(children[victim], number)
    began = time.monotonic()
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert time.monotonic() - began < 60
    said = [(tmp_path / f'{role}.stderr').read_text() for role in range(4)]
    words = said.pop(victim)
    assert statuses.pop(victim) == (130 if number == signal.SIGINT else -number)
    assert 'stopped' in words and is_sentence(words) if number == signal.SIGINT else not words
    assert statuses == [1] * 3 and all('another machine of this run is gone' in text for text in said), said
    assert all(map(is_sentence, said))


def test_a_wrong_environment_is_a_usage_error(monkeypatch):
    monkeypatch.setenv('DMLC_ROLE', 'boss')
    with pytest.raises(
        UsageError, match='DMLC_PS_ROOT_URI, DMLC_PS_ROOT_PORT, DMLC_NUM_SERVER, DMLC_NUM_WORKER'
    ):
        join_workers(embeddings.mx, 'dist_sync')
    for name in ('DMLC_PS_ROOT_URI', 'DMLC_PS_ROOT_PORT', 'DMLC_NUM_SERVER', 'DMLC_NUM_WORKER'):
        monkeypatch.setenv(name, '1')
    with pytest.raises(UsageError, match="DMLC_ROLE is 'boss'"):
        join_workers(embeddings.mx, 'dist_sync')
