"""Share a run among several machines by MXNet's parameter server.

embeddings.py, which alone imports MXNet, hands the module in.
"""

import ctypes
import gc
import os
import signal
import sys
import threading

from aniembed import files
from aniembed.files import UsageError

HEARTBEAT = 1  # seconds between two signs of life that the machines of one run give each other
SILENCE = 10  # seconds without one after which a machine counts as gone
ALL_MACHINES = 7  # ps-lite's group of scheduler (1), servers (2) and workers (4)


class Workers:
    """The processes that share the work of a run, each a worker of MXNet's parameter server.

    Without a store there is one worker, this process. To be used in a `with` block: an orderly end waits for
    the other workers, an error ends this process at once.
    """

    def __init__(self, mx=None, store=None, watch=None):
        self.mx, self.store, self.watch = mx, store, watch
        self.rank, self.number = (store.rank, store.num_workers) if store else (0, 1)
        self.sums = 0

    def sum(self, array):
        """Return the float32 sum of all workers' arrays of one shape; alone, the array itself."""
        if self.store is None:
            return array
        self.sums += 1  # each sum has a key of its own in the store
        summed = self.mx.nd.array(array)
        self.store.init(f'sum{self.sums}', self.mx.nd.zeros_like(summed))
        self.store.push(f'sum{self.sums}', summed)
        self.store.pull(f'sum{self.sums}', summed)
        return summed.asnumpy()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if self.store is None:
            return
        if kind is not None:
            try:
                files.end_with_sentence(kind, error, traceback)
            except SystemExit as end:
                end_now(end.code)
        self.store._barrier()  # until all workers are done; their heartbeats are still watched
        self.watch.stop()
        self.store = None
        gc.collect()  # lets go of the store, which tells the server and the scheduler that the run is over


def join_workers(mx, kvstore):
    """Take this process's role in a run on several machines, and return the Workers.

    mx: the MXNet module; kvstore: 'dist_sync'. Only a worker returns; a scheduler and a server end with the
    run. UsageError if the environment does not name the role.
    """
    names = ('ROLE', 'PS_ROOT_URI', 'PS_ROOT_PORT', 'NUM_SERVER', 'NUM_WORKER')
    missing = [f'DMLC_{name}' for name in names if not os.environ.get(f'DMLC_{name}')]
    if missing:
        raise UsageError(
            f"KVSTORE = 'dist_sync' needs {', '.join(missing)} in the environment; the README says how."
        )
    role, address = os.environ['DMLC_ROLE'], '{DMLC_PS_ROOT_URI}:{DMLC_PS_ROOT_PORT}'.format(**os.environ)
    if role not in ('scheduler', 'server', 'worker'):
        raise UsageError(f'DMLC_ROLE is {role!r}; it must be scheduler, server or worker.')
    os.environ.setdefault('PS_HEARTBEAT_INTERVAL', str(HEARTBEAT))
    os.environ.setdefault('PS_HEARTBEAT_TIMEOUT', str(SILENCE))
    wanted = '{DMLC_NUM_SERVER} servers and {DMLC_NUM_WORKER} workers'.format(**os.environ)
    print(f'{role}: waiting for {wanted}, with the scheduler at {address}', flush=True)
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)  # MXNet waits in C++, where Python sees no Ctrl-C
    store = mx.kv.create('dist' if role != 'worker' else kvstore)
    watch = HeartbeatWatch(mx, store, role)
    if role != 'worker':
        mx.kvstore.kvstore_server.KVStoreServer(store).run()  # until all workers are done
        watch.stop()
        sys.exit()
    signal.signal(signal.SIGINT, handler)
    return Workers(mx, store, watch)


class HeartbeatWatch:
    """End this process when ps-lite's heartbeat says that another machine of the run is gone.

    The scheduler hears all others, which hear the scheduler alone: it ends first, and they after it.
    """

    def __init__(self, mx, store, role):
        self.library, self.store, self.role, self.over = mx.base, store, role, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        """Ask once a heartbeat, until stop(). Nobody counts as gone in the first SILENCE seconds."""
        gone, silence = ctypes.c_int(), int(os.environ['PS_HEARTBEAT_TIMEOUT'])
        pause = silence
        while not self.over.wait(pause):
            count = self.library._LIB.MXKVStoreGetNumDeadNode
            self.library.check_call(count(self.store.handle, ALL_MACHINES, ctypes.byref(gone), silence))
            if gone.value:
                files.print_error(
                    f'another machine of this run is gone, so this {self.role} ends; start all of them again.'
                )
                end_now(1)
            pause = HEARTBEAT

    def stop(self):
        """Stop watching, and let go of the store."""
        self.over.set()
        self.thread.join()
        self.store = None


def end_now(status):
    """End this process without waiting for the other machines, as MXNet's own end would."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
