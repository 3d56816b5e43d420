"""Share one run among several machines, through MXNet's parameter server (ps-lite).

DMLC_ROLE in the environment is the role of a process: the scheduler, a server, which adds up, or a worker,
which computes. MXNet waits forever for a machine that is gone, so each process watches ps-lite's heartbeat.
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
    """The workers that share a run, seen from one of them: its rank, their number, sums over all.

    Without a store, this process is the only worker. Use it in a `with` block: a normal end waits for the
    other workers, an error ends this process at once.
    """

    def __init__(self, store=None, watch=None, mxnet=None):
        self.store, self.watch, self.mxnet = store, watch, mxnet
        self.rank, self.number = (store.rank, store.num_workers) if store else (0, 1)
        self.sums = 0

    def sum(self, array):
        """Return the float32 sum of all workers' arrays of one shape; alone, the array itself."""
        if self.store is None:
            return array
        self.sums += 1  # each sum needs its own key in the store
        summed = self.mxnet.nd.array(array)
        self.store.init(f'sum{self.sums}', self.mxnet.nd.zeros_like(summed))
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
        gc.collect()  # frees the store, which tells the server and the scheduler that the run is over


def join_workers(mxnet, kvstore):
    """Join a run on several machines in the role of this process, and return the Workers.

    mxnet: the module; kvstore: 'dist_sync'. Returns in a worker only; a scheduler or server exits when the
    run is over. UsageError if the environment does not describe the run.
    """
    names = ('ROLE', 'PS_ROOT_URI', 'PS_ROOT_PORT', 'NUM_SERVER', 'NUM_WORKER')
    missing = [f'DMLC_{name}' for name in names if not os.environ.get(f'DMLC_{name}')]
    if missing:
        raise UsageError(
            f'KVSTORE = {kvstore!r} needs {", ".join(missing)} in the environment; the README says how.'
        )
    role, address = os.environ['DMLC_ROLE'], '{DMLC_PS_ROOT_URI}:{DMLC_PS_ROOT_PORT}'.format(**os.environ)
    if role not in ('scheduler', 'server', 'worker'):
        raise UsageError(f'DMLC_ROLE is {role!r}; it must be scheduler, server or worker.')
    os.environ.setdefault('PS_HEARTBEAT_INTERVAL', str(HEARTBEAT))
    os.environ.setdefault('PS_HEARTBEAT_TIMEOUT', str(SILENCE))
    wanted = '{DMLC_NUM_SERVER} servers and {DMLC_NUM_WORKER} workers'.format(**os.environ)
    print(f'{role}: waiting for {wanted}, with the scheduler at {address}', flush=True)
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)  # MXNet waits in C++, where Python sees no Ctrl-C
    store = mxnet.kv.create(kvstore)
    watch = HeartbeatWatch(store, role, mxnet)
    if role != 'worker':
        mxnet.kvstore.kvstore_server.KVStoreServer(store).run()  # until all workers are done
        watch.stop()
        sys.exit()
    signal.signal(signal.SIGINT, handler)
    return Workers(store, watch, mxnet)


class HeartbeatWatch:
    """End this process when ps-lite's heartbeat reports that another machine of the run is gone.

    The scheduler receives the heartbeats of all others, the others only that of the scheduler: it ends first,
    then they do.
    """

    def __init__(self, store, role, mxnet):
        self.store, self.role, self.library, self.over = store, role, mxnet.base, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        """Check once a heartbeat until stop(), for the first time after SILENCE seconds."""
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
        """Stop watching, and free the store."""
        self.over.set()
        self.thread.join()
        self.store = None


def end_now(status):
    """End this process without waiting for the other machines, which MXNet would do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
