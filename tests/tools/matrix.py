#!/usr/bin/env python3
"""Run the README's commands on every Python that is installed: the main job, then the quick tests.

    python3 tests/tools/matrix.py                   # Python 3.8 to 3.13, each with what pip installs
    python3 tests/tools/matrix.py --oldest 3.9      # one version, with the oldest requirements allowed
    python3 tests/tools/matrix.py --newest --slow   # the newest, and all the tests, with TensorFlow

Each Python gets a copy of the last commit, in which the README's own lines run. On a Python that MXNet
cannot run on, the main job must end with a sentence, and what that sentence advises must work. --oldest,
--newest and that advice need uv (pip install uv). Nothing is written into the checkout; the log of what fails
stays.
"""

import argparse
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SUPPORTED = ('3.9', '3.10', '3.11', '3.12')
REFUSED = ('3.8', '3.13')
OUTPUT = (
    *('embeddings.pkl', 'titles.json', 'neighbours.csv', 'settings.json'),
    *('similarity_map.png', 'graph.json'),
)
REFUSAL_SECONDS = 120  # until an unsupported Python has come to its sentence: nothing is compiled
REFUSAL_LINES = 60  # of output until then, at most


class FailedError(Exception):
    """Say which step did not do what the README says."""


def interpreters(versions=(*REFUSED, *SUPPORTED)):
    """Return a dict version -> path of one Python of each version that PATH or pyenv has."""
    pyenv = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv'), 'versions')
    found = {}
    for version in versions:
        on_path = (shutil.which(name) for name in (f'python{version}', 'python3'))
        for path in [*sorted(pyenv.glob(f'{version}.*/bin/python')), *filter(None, on_path)]:
            # pyenv's shims are on PATH for every version, and fail for those not chosen; Debian may lack venv
            asked = subprocess.run(
                [path, '-c', 'import sys, ensurepip, venv; print("%d.%d" % sys.version_info[:2])'],
                capture_output=True,
                text=True,
            )
            if asked.stdout.strip() == version:
                found[version] = str(path)
                break
    return found


def readme_line(name):
    """Return the shell line after the comment <!-- name --> in the README."""
    found = re.search(rf'<!-- {name} -->\s*```bash\n(.*?)```', (ROOT / 'README.md').read_text('utf-8'), re.S)
    if not found:
        raise SystemExit(f'README.md has no block for {name}')
    return found.group(1)


class Machine:
    """Hold one Python's own copy of the last commit, as a user has it after `git clone`."""

    def __init__(self, folder, version, python, pythons, resolution):
        self.folder, self.version, self.python, self.resolution = folder, version, python, resolution
        self.log = folder.parent / f'{folder.name}.log'
        folder.mkdir()
        archive = subprocess.run(['git', 'archive', 'HEAD'], cwd=ROOT, stdout=subprocess.PIPE, check=True)
        subprocess.run(['tar', '-x'], cwd=folder, input=archive.stdout, check=True)
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ('VIRTUAL_ENV', 'PYTHONPATH', 'PYTHONHOME', 'PYENV_VERSION')
        }
        # So that uv, too, finds every Python that was found here
        folders = [str(Path(path).parent) for path in pythons.values()]
        self.environment['PATH'] = os.pathsep.join([os.environ['PATH'], *folders])

    def shell(self, line, limit=3600):
        """Run a line of the README with this Python; return its exit status, output and seconds.

        FailedError where it takes more than `limit` seconds. Nothing of it goes on running.
        """
        line = re.sub(r'^python3 -m venv', f'{shlex.quote(self.python)} -m venv', line)
        if self.resolution:
            line = line.replace(
                '.venv/bin/pip install',
                f'uv pip install --python .venv/bin/python --resolution {self.resolution}',
            )
        start = time.monotonic()
        with open(self.log, 'a+') as log:
            print(f'$ {line}', file=log, flush=True)
            said_from = log.tell()
            process = subprocess.Popen(
                ['bash', '-euo', 'pipefail', '-c', line],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                raise FailedError(f'no end after {limit} s: {line.strip()}') from None
            finally:
                with contextlib.suppress(ProcessLookupError):  # the usual: all of it has ended
                    os.killpg(process.pid, signal.SIGKILL)
            log.seek(said_from)
            return status, log.read(), time.monotonic() - start

    def succeed(self, what, line):
        status, said, seconds = self.shell(line)
        if status:
            raise FailedError(f'{what} ended with status {status}')
        return said, seconds

    def has_output(self):
        missing = [name for name in OUTPUT if not (self.folder / 'output' / name).is_file()]
        if missing:
            raise FailedError(f'{", ".join(missing)} not in output')

    def supported(self, slow):
        """Run the main job, the tests and pip check; yield what to print of each."""
        _, seconds = self.succeed('the main job', readme_line('main job'))
        self.has_output()
        yield f'main job in {seconds:.0f} s'
        tests = readme_line('tests')
        if not slow:
            # Only slow tests run TensorFlow, which takes longer to install than the quick part takes
            requirements = self.folder / 'tests' / 'requirements.txt'
            lines = [
                line for line in requirements.read_text().splitlines() if not line.startswith('tensorflow')
            ]
            requirements.write_text('\n'.join(lines) + '\n')
            tests = tests.rstrip() + ' -m "not slow"'
        said, seconds = self.succeed('the tests', tests)
        yield f'{said.strip().splitlines()[-1].strip("= ")} (with the installation {seconds:.0f} s)'
        self.succeed('pip check', '.venv/bin/python -m pip check')
        yield 'pip check is content'

    def refused(self):
        """Check that the main job ends with a sentence, the scraper runs, and the advice works."""
        status, said, seconds = self.shell(readme_line('main job'), REFUSAL_SECONDS)
        lines = said.strip().splitlines()
        advice = re.search(r'(uv run .*)', said)
        if status != 1 or f'this is Python {self.version};' not in said or not advice:
            raise FailedError(f'the main job ended with status {status}, not with the sentence and status 1')
        if len(lines) > REFUSAL_LINES or re.search('Traceback|error:', said):
            raise FailedError(f'the sentence came after {len(lines)} lines, or a traceback or error')
        yield f'its sentence after {seconds:.0f} s'
        self.succeed('malscraper.py', '.venv/bin/python malscraper.py --help')
        yield 'the scraper runs'
        if not shutil.which('uv'):
            yield 'its advice not tried: uv is not installed'
            return
        _, seconds = self.succeed(advice[1], advice[1])
        self.has_output()
        yield f'its advice works in {seconds:.0f} s'


def main():
    """Try the Pythons that the arguments name."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('versions', nargs='*', metavar='VERSION', help='such as 3.9; default: 3.8 to 3.13')
    which = parser.add_mutually_exclusive_group()
    which.add_argument('--oldest', dest='resolution', action='store_const', const='lowest-direct')
    which.add_argument('--newest', dest='resolution', action='store_const', const='highest')
    parser.add_argument('--slow', action='store_true', help='all the tests, TensorFlow included')
    options = parser.parse_args()
    known = sorted((*REFUSED, *SUPPORTED), key=lambda version: int(version[2:]))
    if set(options.versions) - set(known):
        parser.error(f'the versions are {", ".join(known)}')
    if options.resolution and not shutil.which('uv'):
        parser.error('--oldest and --newest need uv: pip install uv')
    pythons = interpreters()
    folder = Path(tempfile.mkdtemp(prefix='aniembed-matrix-'))
    failed = []
    for version in options.versions or known:
        if version not in pythons:
            print(f'{version}: missing on this machine', flush=True)
            continue
        machine = Machine(folder / version, version, pythons[version], pythons, options.resolution)
        print(f'{version} ({pythons[version]})', flush=True)
        try:
            for step in machine.supported(options.slow) if version in SUPPORTED else machine.refused():
                print(f'  {step}', flush=True)
        except FailedError as reason:
            failed.append(version)
            print(f'  FAILED: {reason}; see {machine.log}', flush=True)
        finally:
            shutil.rmtree(machine.folder)
    if failed:
        sys.exit(f'{len(failed)} failed: {", ".join(failed)}')
    shutil.rmtree(folder)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: what runs is ended, its copy deleted
    try:
        main()
    except KeyboardInterrupt:
        print(
            'Stopped; go on with the versions that are left: tests/tools/matrix.py VERSION ...',
            file=sys.stderr,
        )
        sys.exit(130)
