"""test-data/: its files agree, its lists are like real ones, and the script that made it makes it again."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from tools.processes import is_sentence, run

FOLDER = ROOT / 'test-data'
SCRIPT = FOLDER / 'make_test_data.py'


@pytest.fixture(scope='module')
def script():
    spec = importlib.util.spec_from_file_location('make_test_data', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def frame():
    return pd.read_pickle(FOLDER / 'dataframe.pkl.gz')


def test_the_files_agree_and_the_script_makes_the_small_ones_again(script, frame):
    titles, names = script.read_titles(), (FOLDER / 'users-long.txt').read_text().splitlines()
    ids = [int(line) for line in (FOLDER / 'animelist.txt').read_text().splitlines()]
    assert [title.mal_id for title in titles] == ids == frame.columns.tolist() and len(set(ids)) == 100
    assert script.api_nodes(titles) == json.loads((FOLDER / 'animes.json').read_text(encoding='utf-8'))
    assert frame.shape == (100_000, 100) and set(frame.index) <= set(names) and frame.index.is_unique
    assert script.make_usernames(5_000) == names[:5_000] and len({name.lower() for name in names}) > 100_000
    assert names[:2_500] == (FOLDER / 'users-short.txt').read_text().splitlines()


def test_figures_of_real_lists(frame):
    """Compare with the figures of real lists, measured here and not by the script."""
    lists = frame.to_numpy()
    scored = lists > 0
    counts, scorers = scored.sum(1), scored.sum(0)
    assert np.abs(np.percentile(counts, [25, 50, 75]) - [6, 15, 30]).max() <= 1
    assert 95 <= counts.max() <= 100
    assert 3.6 <= scorers.max() / scorers.min() <= 4.0
    shares = 100 * np.array([(lists == score).sum() for score in range(1, 11)]) / scored.sum()
    wanted = np.array([0.2, 0.2, 0.3, 0.9, 2.4, 5.9, 15.6, 25.3, 25.7, 23.4])
    assert np.all(np.abs(shares - wanted) <= np.maximum(0.05, 0.03 * wanted))
    means = np.where(scored, lists, 0).sum(1, dtype=float) / counts
    assert 0.87 <= means.std() <= 0.93
    assert 0.045 <= (means == 10).mean() <= 0.055
    assert 0.30 <= (lists == 0).sum() / (~np.isnan(lists)).sum() <= 0.32


PROGRAM = """
import hashlib, pickle
import make_test_data as script
script.MEMBERS, script.BLOCK, script.CALIBRATION_MEMBERS, script.CALIBRATION_ROUNDS = 3000, 1000, 1000, 3
lists = script.make_lists(script.read_titles(), script.make_usernames(3100), 3000)
print(lists.shape, hashlib.sha256(pickle.dumps(lists, protocol=4)).hexdigest())
"""


def test_script_is_deterministic():
    """Two processes with other hash seeds and numbers of threads make the same pickle, byte for byte."""
    options, outputs = {'cwd': FOLDER, 'capture_output': True, 'text': True, 'check': True}, []
    for seed in '12':
        environment = {**os.environ, 'PYTHONHASHSEED': seed, 'OMP_NUM_THREADS': seed}
        outputs.append(subprocess.run([sys.executable, '-c', PROGRAM], env=environment, **options).stdout)
    assert outputs[0] == outputs[1] and outputs[0].startswith('(3000, 100) ')


@pytest.mark.parametrize('arguments, status', [(['a', 'b'], 2), (['no/such/folder'], 1)])
def test_bad_arguments_end_the_script_at_once(tmp_path, arguments, status):
    done = run(SCRIPT, *arguments, cwd=tmp_path, timeout=60)
    assert done.returncode == status and is_sentence(done.stderr) and not list(tmp_path.iterdir())
