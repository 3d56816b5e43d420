"""Run the project's notebooks in kernels of their own."""

import collections
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import nbclient
import nbformat
from conftest import ROOT

# text: all that was printed or shown; error: its lines, or None; pictures: how many
Run = collections.namedtuple('Run', 'text error pictures')
SECONDS = 60  # that one cell may take


def read(name, **parameters):
    """Return a notebook with parameters, in a cell after the one that is tagged so, as papermill does."""
    notebook = nbformat.read(ROOT / name, as_version=4)
    place = next(i for i, cell in enumerate(notebook.cells) if 'parameters' in cell.metadata.get('tags', ()))
    lines = [f'{key} = {value!r}' for key, value in parameters.items()]
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell('\n'.join(lines)))
    return notebook


def code(name, **parameters):
    """Return the code of a notebook as one script."""
    cells = read(name, **parameters).cells
    return '\n\n'.join(cell.source for cell in cells if cell.cell_type == 'code')


class Kernel:
    """A kernel that runs one notebook after the other, each with fresh globals; a context manager.

    To start one for every notebook would take two seconds of a processor each, mostly for pandas.
    """

    def __init__(self, path=ROOT):
        self.path = path  # where it looks for aniembed/

    def __enter__(self):
        self.client = nbclient.NotebookClient(nbformat.v4.new_notebook(), timeout=SECONDS)
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(self.client.setup_kernel(env={**os.environ, 'PYTHONPATH': str(self.path)}))
        return self

    def __exit__(self, *_):
        self.stack.close()

    def run(self, name, folder, environment=(), interrupt_when=None, **parameters):
        """Run a notebook in a folder, as "Run All" does; return a Run.

        environment: added to the kernel's. interrupt_when: the stop button is pressed once when this
        function returns True.
        """
        notebook, over = read(name, **parameters), threading.Event()
        own = len(notebook.cells)
        fresh = FRESH.format(folder=str(folder), variables=dict(environment))
        notebook.cells.append(nbformat.v4.new_code_cell(fresh))
        self.client.nb = notebook

        def press():
            while not interrupt_when():
                if over.wait(0.005):
                    return
            os.kill(self.client.km.provisioner.pid, signal.SIGINT)

        self.client.execute_cell(notebook.cells[own], own)
        thread = threading.Thread(target=press)
        if interrupt_when:
            thread.start()
        with contextlib.suppress(nbclient.exceptions.CellExecutionError):
            for place, cell in enumerate(notebook.cells[:own]):
                self.client.execute_cell(cell, place)
        over.set()
        if interrupt_when:
            thread.join()
        outputs = [output for cell in notebook.cells for output in cell.get('outputs', ())]
        texts = (output.get('text') or output.get('data', {}).get('text/plain', '') for output in outputs)
        errors = [output.traceback for output in outputs if output.output_type == 'error']
        pictures = sum('image/png' in output.get('data', {}) for output in outputs)
        return Run('\n'.join(texts), errors[0] if errors else None, pictures)


FRESH = """
%reset -f
import os
os.chdir({folder!r})
os.environ.update({variables!r})
del os
"""

RUNNER = textwrap.dedent('''
    """After a line on stdin runs a script in a new process and prints its id; after another one, its end."""
    import os, sys
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot, numpy, pandas, requests, tenacity, tqdm.auto    # once for all the processes

    script = compile(open(sys.argv[1]).read(), 'notebook', 'exec')
    while sys.stdin.readline():
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            exec(script, {'__name__': '__main__'})
            os._exit(0)
        print(child, flush=True)
        sys.stdin.readline()    # until then the child keeps its id, even if it has ended
        print(os.waitpid(child, 0)[1], flush=True)
''')


@contextlib.contextmanager
def processes(tmp_path, folder, script, environment):
    """Yield a function that runs a script in a new process in `folder`, once a call.

    It takes `until`, a function, and seconds: so long after that is true, the process is killed with SIGKILL.
    With None it runs to its end, which must be a good one.
    """
    (tmp_path / 'script.py').write_text(script)
    (tmp_path / 'runner.py').write_text(RUNNER)
    with (
        open(tmp_path / 'stderr', 'w+') as stderr,
        subprocess.Popen(
            [sys.executable, tmp_path / 'runner.py', tmp_path / 'script.py'],
            cwd=folder,
            env={**os.environ, 'PYTHONPATH': str(ROOT), **environment},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        ) as runner,
    ):

        def run(until, seconds=0.0):
            print(file=runner.stdin, flush=True)
            child, give_up = int(runner.stdout.readline()), time.monotonic() + 10
            while until and not until() and time.monotonic() < give_up:
                time.sleep(0.0005)
            if until:
                time.sleep(seconds)
                os.kill(child, signal.SIGKILL)
            print(file=runner.stdin, flush=True)
            ended = int(runner.stdout.readline())
            assert ended in ((0, signal.SIGKILL) if until else (0,)), stderr.seek(0) or stderr.read()

        yield run
        runner.stdin.close()
