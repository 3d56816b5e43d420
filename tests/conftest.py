"""Shared by all tests: the project's root, and the marker that keeps the quick part quick."""
import signal
import sys
import threading
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def pytest_configure(config):
    # A shell without job control starts what it runs in the background with Ctrl-C ignored, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # tqdm's own lock is shared by forked processes: one that is killed while it holds the lock would stop all others.
    tqdm.set_lock(threading.RLock())
    config.addinivalue_line('filterwarnings', 'ignore::DeprecationWarning:mxnet')
    config.addinivalue_line('markers', 'slow: takes more than ten seconds; the quick part is -m "not slow"')
