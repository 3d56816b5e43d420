"""embeddings.ipynb: run by a real kernel on its files alone, and compared with embeddings.py."""

import json
import os
import shutil

import nbclient
import nbformat
import numpy as np
import pytest
from conftest import ROOT
from tools.notebooks import PATIENCE

import embeddings
from aniembed import settings
from aniembed.inputs import ratings, titles
from aniembed.machines import Workers
from aniembed.similarity import target_of

pytestmark = pytest.mark.slow
INPUTS = ('animelist.txt', 'animes.json', 'dataframe.pkl.gz')

# Globals of embeddings.py that the notebook has, too
SHARED = ['ANIME_LIST', 'ANIME_DATA', 'ANIME_DATA_LIST', 'MIN_ANIME_REQUIRED', 'BOTTER_LIMIT', 'MARGIN']
SHARED += ['COMMON', 'POWER', 'RIDGE', 'N_EMBEDDING', 'EPOCHS', 'FOCUS', 'LEARNING_RATE', 'BATCH_SIZE']
SHARED += ['SEED']

# Run by the same kernel after the notebook's last cell, and after it has trained again
AFTERWARDS = f"""
parameters = json.dumps({{name: globals()[name] for name in {SHARED}}})
found = {{'parameters': parameters, 'similarity': similarity, 'vectors': vectors, 'losses': losses,
          'written': sum(text is not None for text in written)}}
"""
SAVE = """
found['vectors_again'] = unit_length(embedding.embeddings).numpy()
np.savez('found.npz', **found)
"""


@pytest.fixture(scope='module')
def notebook():
    return nbformat.read(ROOT / 'embeddings.ipynb', as_version=4)


def sources(notebook, *tags):
    """Return the source of the cell that has each tag."""
    tagged = {tag: cell.source for cell in notebook.cells for tag in cell.metadata.get('tags', [])}
    return [tagged[tag] for tag in tags]


@pytest.fixture(scope='module')
def executed(notebook, tmp_path_factory):
    """Run the notebook in a folder without the project, then AFTERWARDS, then the training once more.

    Returns the notebook's own cells with their outputs, and found.npz.
    """
    folder = tmp_path_factory.mktemp('checkout')
    (folder / 'test-data').mkdir()
    for name in INPUTS:
        shutil.copy(ROOT / 'test-data' / name, folder / 'test-data')
    (folder / 'without').mkdir()
    (folder / 'without' / 'mxnet.py').write_text("raise ImportError('the notebook is to do without')\n")
    run = nbformat.from_dict(notebook)
    own = len(run.cells)
    again = sources(notebook, 'seed', 'model', 'start', 'compile', 'fit')
    run.cells += map(nbformat.v4.new_code_cell, (AFTERWARDS, *again, SAVE))
    client = nbclient.NotebookClient(run, **PATIENCE, resources={'metadata': {'path': str(folder)}})
    client.execute(env={**os.environ, 'PYTHONPATH': str(folder / 'without')})
    return run.cells[:own], np.load(folder / 'found.npz')


@pytest.fixture(scope='module')
def trained():
    """The target, vectors and loss of embeddings.py on the same files."""
    folder, workers, config = ROOT / 'test-data', Workers(), settings.read((), embeddings.SETTINGS)
    ids = titles.read_ids(folder / 'animelist.txt')
    anime = titles.read_titles(str(folder / 'animes.json'), ids)
    means = embeddings.title_means(anime, [], config, workers)
    lists = ratings.read_lists([str(folder / 'dataframe.pkl.gz')])
    sums, _, _ = embeddings.sum_pairs(lists.blocks(ids), means, config, workers)
    target = target_of(sums, config['COMMON'], config['POWER'], config['RIDGE'])
    return target, *embeddings.train(target, config, workers)


def nearest(vectors):
    products = vectors @ vectors.T
    np.fill_diagonal(products, -np.inf)
    return products.argmax(1)


def test_run_all_shows_what_it_promises(executed):
    cells, found = executed
    outputs = [output for cell in cells if cell.cell_type == 'code' for output in cell.outputs]
    assert not [output.text for output in outputs if output.get('name') == 'stderr']
    assert sum('image/png' in output.get('data', {}) for output in outputs) == 3
    pages = [output.get('data', {}).get('text/html', '') for output in outputs]
    table = next(page for page in pages if '<table' in page)
    assert table.count('<tr') == 12 and 'Shingeki no Kyojin' in table
    assert found['written'] >= 95


def test_the_parameters_are_those_of_embeddings_py(executed):
    expected = {name: getattr(embeddings, name) for name in SHARED}
    expected['EPOCHS'] = expected['EPOCHS'] or 150  # steps of embeddings.py; a batch holds all hundred titles
    assert json.loads(str(executed[1]['parameters'])) == expected


def test_ninety_nearest_titles_agree_with_embeddings_py_and_training_again_changes_nothing(executed, trained):
    found, (target, vectors, loss) = executed[1], trained
    assert np.abs(found['similarity'] - target).max() < 1e-4
    assert (nearest(found['vectors']) == nearest(vectors)).sum() >= 90
    assert abs(found['losses'][-1] / loss - 1) < 0.005
    np.testing.assert_array_equal(found['vectors'], found['vectors_again'])
