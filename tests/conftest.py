"""Shared by all tests: the project's modules, and one finished run on planted groups."""

import contextlib
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.mal_server import CLIENT_ID, Server  # noqa: E402 - needs the path above
from tools.planted import planted_scores, write_inputs  # noqa: E402
from tools.processes import run  # noqa: E402

from aniembed.sites import anilist_api, client  # noqa: E402


def pytest_configure(config):
    """Bring signals and locks into the state that tests of processes need, and declare the marker."""
    # A shell without job control starts what it runs in the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored
    # tqdm's own lock is shared by forked processes: one that is killed with it would stop all others.
    tqdm.set_lock(threading.RLock())
    config.addinivalue_line('filterwarnings', 'ignore::DeprecationWarning:mxnet')
    config.addinivalue_line('markers', 'slow: takes more than ten seconds; the quick part is -m "not slow"')


@pytest.fixture(scope='session')
def planted(tmp_path_factory):
    """Run embeddings.py once on planted groups: folder, output, stdout, and the group of every title."""
    folder = tmp_path_factory.mktemp('planted')
    scores, group = planted_scores()
    done = run('embeddings.py', *write_inputs(folder, scores))
    assert (done.returncode, done.stderr) == (0, '')
    return SimpleNamespace(folder=folder, output=folder / 'output', stdout=done.stdout, group=group)


@pytest.fixture(scope='session')
def vectors(planted):
    """Return the vectors of the planted groups."""
    return pd.read_pickle(planted.output / 'embeddings.pkl')


@pytest.fixture
def local_site(monkeypatch):
    """Return a context manager: the server of a Site, which the environment points at, with short waits."""

    @contextlib.contextmanager
    def serve(site):
        with Server(site) as server:
            monkeypatch.setenv('MAL_API_URL', f'{server.url}/v2/')
            monkeypatch.setenv('ANILIST_URL', f'{server.url}/anilist')
            monkeypatch.setenv('MAL_CLIENT_ID', CLIENT_ID)
            monkeypatch.setattr(anilist_api, 'DELAY', 0.01)
            monkeypatch.setattr(client, 'BACKOFF', 0.01)
            yield server

    return serve
