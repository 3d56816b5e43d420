"""Run the project's scripts as a user does, or in a fork that has their libraries already."""

import contextlib
import itertools
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from aniembed import files

ROOT = Path(__file__).resolve().parent.parent.parent


def run(script, *arguments, **options):
    """Run a script as a process of its own; return the finished process with its output as text."""
    command = [sys.executable, ROOT / script, *map(str, arguments)]
    options = {'cwd': ROOT, 'capture_output': True, 'text': True, 'stdin': subprocess.DEVNULL, **options}
    return subprocess.run(command, **options)


def start(script, *arguments, **options):
    """Start a script; return the process with its standard output and standard error as text."""
    command = [sys.executable, ROOT / script, *map(str, arguments)]
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
    return subprocess.Popen(command, **{'cwd': ROOT, 'text': True, **pipes, **options})


def fork(main, arguments, stdout=os.devnull, stderr=os.devnull, before=None):
    """Run a script's main() in a fork, which spares the seconds of importing MXNet; return its process id."""
    child = os.fork()
    if child:
        return child
    status = 70  # of a fault in these lines
    try:
        for number, path in ((1, stdout), (2, stderr)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.stdout, sys.stderr = os.fdopen(1, 'w'), os.fdopen(2, 'w')
        if before:
            before()
        try:
            main([*map(str, arguments)])
            status = 0
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            try:
                files.end_with_sentence(*sys.exc_info())
            except SystemExit as end:
                status = end.code
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def call(main, arguments, folder, before=None):
    """Run main() in a fork until it ends; return its exit status and what it said on standard error."""
    said = folder / 'stderr'
    ended = os.waitpid(fork(main, arguments, os.devnull, said, before), 0)[1]
    return os.waitstatus_to_exitcode(ended), said.read_text()


def die_while_writing(step):
    """Let this process kill itself at one of the steps, from 1, in which files are opened or put in place."""
    steps = itertools.count(1)

    def watch(event, arguments):
        if event in ('open', 'os.rename') and str(arguments[0]).endswith('.tmp') and next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


@contextlib.contextmanager
def largest_file(size):
    """Let no file grow beyond this size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def wait_until(condition, seconds=300):
    """Wait until condition() is true; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f'not within {seconds} seconds'
        time.sleep(0.005)


def has_loaded(process_id, library):
    """Whether a process has loaded a shared library whose path holds this text."""
    return library in Path(f'/proc/{process_id}/maps').read_text()


def has_ended(process_id):
    """Whether a process runs no more."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f'/proc/{process_id}/stat').read_text().rpartition(')')[2].split()[0] == 'Z'
    return True


def is_sentence(said):
    """Whether standard error holds one line, which is no traceback."""
    return said.count('\n') == 1 and said.endswith('\n') and said[:-1].isprintable() and len(said) < 1200
