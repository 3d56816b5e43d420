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

from tools.processes import has_ended, wait_until

# text: all that was printed or shown; error: its lines, or None; pictures: how many
Run = collections.namedtuple('Run', 'text error pictures')
SECONDS = 300  # that one cell may take
PATIENCE = {'timeout': SECONDS, 'startup_timeout': SECONDS, 'iopub_timeout': SECONDS}  # of nbclient


def read(name, constants=(), **parameters):
    """Return a notebook with parameters, in a cell after the one that is tagged so, as papermill does.

    constants: dict of those of aniembed.sites.client, which are set too.
    """
    notebook = nbformat.read(ROOT / name, as_version=4)
    place = next(i for i, cell in enumerate(notebook.cells) if 'parameters' in cell.metadata.get('tags', ()))
    lines = [f'{key} = {value!r}' for key, value in parameters.items()]
    lines += ['import aniembed.sites.client'] if constants else []
    lines += [f'aniembed.sites.client.{key} = {value!r}' for key, value in dict(constants).items()]
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
        self.client = nbclient.NotebookClient(nbformat.v4.new_notebook(), **PATIENCE)
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
    """After a number on stdin runs a script in a new process and prints its id; after another line, its end.

    The number is the step of writing files at which the process kills itself; 0: it does not.
    """
    import os, sys
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot, numpy, pandas, requests, tqdm.auto    # once for all the processes
    from tools.processes import die_while_writing

    script = compile(open(sys.argv[1]).read(), 'notebook', 'exec')
    while number := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            die_while_writing(int(number))
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
    Or `step`: it kills itself at this step of writing files. With neither it runs to its end, a good one.
    """
    (tmp_path / 'script.py').write_text(script)
    (tmp_path / 'runner.py').write_text(RUNNER)
    with (
        open(tmp_path / 'stderr', 'w+') as stderr,
        subprocess.Popen(
            [sys.executable, tmp_path / 'runner.py', tmp_path / 'script.py'],
            cwd=folder,
            env={**os.environ, 'PYTHONPATH': f'{ROOT}:{ROOT}/tests', **environment},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        ) as runner,
    ):

        def run(until=None, seconds=0.0, step=0):
            print(step, file=runner.stdin, flush=True)
            child = int(runner.stdout.readline())
            if until:
                wait_until(lambda: until() or has_ended(child))
                time.sleep(seconds)
                os.kill(child, signal.SIGKILL)
            print(file=runner.stdin, flush=True)
            ended = int(runner.stdout.readline())
            good = (0, signal.SIGKILL) if until else (signal.SIGKILL,) if step else (0,)
            assert ended in good, stderr.seek(0) or stderr.read()

        yield run
        runner.stdin.close()
