"""aniembed/files.py: whole files, packed files, and the sentence that ends a run."""

import bz2
import gzip
import io
import json
import lzma
import os
import random
import subprocess
import sys

import pytest
from tools.processes import ROOT, is_sentence, largest_file
from tools.spoil import zipped

from aniembed import files
from aniembed.files import RunError

# ---- writing -------------------------------------------------------------------------------------


def test_an_error_leaves_what_was_there(tmp_path):
    path, other = tmp_path / 'one.json', tmp_path / 'two.json'
    files.write_json(path, {'a': [1, 'é']})
    assert json.loads(path.read_text(encoding='utf-8')) == {'a': [1, 'é']}
    with pytest.raises(ZeroDivisionError), files.whole_files(path, other) as (one, _):
        one.write(b'half')
        raise ZeroDivisionError
    with pytest.raises(ValueError):
        files.write_json(path, float('nan'))
    with pytest.raises(RunError, match='none/one.json cannot be written: No such file or directory'):
        files.write_json(tmp_path / 'none' / 'one.json', 1)
    assert os.listdir(tmp_path) == ['one.json'] and json.loads(path.read_text()) == {'a': [1, 'é']}


def test_a_full_disk_leaves_both_files(tmp_path):
    paths = tmp_path / 'one', tmp_path / 'two'
    for path in paths:
        path.write_bytes(bytes(1000))
    words = 'one and .*two cannot be written: File too large'
    with largest_file(4000), pytest.raises(RunError, match=words), files.whole_files(*paths) as opened:
        for file in opened:
            file.write(bytes(5000))
    assert sorted(os.listdir(tmp_path)) == ['one', 'two']
    assert [path.stat().st_size for path in paths] == [1000, 1000]


# ---- packed files --------------------------------------------------------------------------------

CONTENT = random.Random(1).randbytes(5000)
PACKERS = {'gzip': gzip.compress, 'xz': lzma.compress, 'bzip2': bz2.compress, 'zip': zipped, 'plain': bytes}


@pytest.mark.parametrize('kind', PACKERS)
def test_packing_is_told_by_the_first_bytes(kind):
    packed = PACKERS[kind](CONTENT)
    assert files.unpacked(io.BytesIO(packed)).read() == CONTENT
    if kind != 'plain':
        with pytest.raises(files.PACKING_ERRORS):
            files.unpacked(io.BytesIO(packed[:2500])).read()


# ---- how a run ends ------------------------------------------------------------------------------

SCRIPT = """
import sys
from aniembed import files
files.start_script()
{}
"""
# what a script does -> exit status, words
ENDS = {
    "raise files.RunError('the lists\\nare empty\\x1b[2J.')": (1, 'script.py: the lists are empty[2J.'),
    "raise files.UsageError('EPOCHS is 0.')": (2, 'script.py: EPOCHS is 0.'),
    'raise KeyboardInterrupt': (130, 'script.py: stopped'),
    'raise MemoryError': (1, 'not enough memory'),
    'raise BrokenPipeError': (1, 'the program that reads the output has ended'),
    'import no_such_library': (1, 'the library no_such_library is missing; run: pip install -r'),
    'OUTPUT_DIR = output': (2, "script.py, line 5: name 'output' is not defined; a text needs quotes"),
    'LISTS = my-lists.csv  # the lists': (2, "script.py, line 5: name 'my' is not defined; a text needs"),
    'import mxnet': (1, 'run: pip install --no-deps mxnet==1.9.1'),
    'sys.version_info = (3, 8)\nimport no_such_library': (1, 'uv run --python 3.12'),
}


def run_script(path, code, *options):
    """Run a script whose excepthook makes sentences of errors."""
    path.write_text(SCRIPT.format(code))
    command, environment = [sys.executable, *options, path], {**os.environ, 'PYTHONPATH': str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize('code', ENDS)
def test_a_run_ends_with_its_sentence(tmp_path, code):
    status, words = ENDS[code]
    done = run_script(tmp_path / 'script.py', code, '-S')  # -S: without the installed libraries
    assert done.returncode == status and words in done.stderr and is_sentence(done.stderr), done.stderr


def test_libraries_that_do_not_fit_each_other_end_in_a_sentence(tmp_path):
    library = tmp_path / 'site-packages' / 'library.py'
    library.parent.mkdir()
    library.write_text("raise ValueError('numpy.dtype size changed')")
    code = f'sys.path.insert(0, {str(library.parent)!r})\nimport library'
    done = run_script(tmp_path / 'script.py', code)
    assert done.returncode == 1 and is_sentence(done.stderr), done.stderr
    assert 'numpy.dtype size changed' in done.stderr and 'pip install --upgrade' in done.stderr


@pytest.mark.parametrize('code', ['1 / 0', 'def main(): return output\nmain()', 'X = len(output)'])
def test_a_fault_of_the_code_keeps_its_traceback(tmp_path, code):
    done = run_script(tmp_path / 'script.py', code)
    assert done.returncode == 1 and done.stderr.startswith('Traceback') and 'line 5' in done.stderr
