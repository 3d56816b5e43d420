"""What recommend.py reads: an output folder and exported lists; and what it says."""

import gzip
import json
import os

import pandas as pd

import recommend
from tools.processes import fork


def write_folder(folder, vectors, nodes, ids):
    """Write embeddings.pkl and titles.json of the planted vectors as if they were of the titles `ids`."""
    renamed = vectors.copy()
    renamed.index = pd.Index(ids, name=vectors.index.name)
    new = dict(zip(vectors.index, ids))
    renamed.attrs = {
        name: {new[mal_id]: number for mal_id, number in value.items()} if isinstance(value, dict) else value
        for name, value in vectors.attrs.items()
    }
    renamed.to_pickle(folder / 'embeddings.pkl')
    (folder / 'titles.json').write_text(json.dumps(nodes))
    return renamed


def write_list(path, scores, statuses=()):
    """Write an exported list, packed where its name says so; return its path."""
    entries = (
        f'<anime><series_animedb_id>{mal_id}</series_animedb_id><my_score>{score:g}</my_score>'
        f'<my_status>{dict(statuses).get(mal_id, "").replace("_", " ").title()}</my_status></anime>'
        for mal_id, score in scores.items()
    )
    info = '<myinfo><user_name>a_fan</user_name></myinfo>'
    text = f'<myanimelist>{info}{"".join(entries)}</myanimelist>'.encode()
    path.write_bytes(gzip.compress(text) if path.suffix == '.gz' else text)
    return path


def spoken(arguments, folder):
    """Run recommend.py in a fork; return what it printed, its exit status, and what it said was wrong."""
    child = fork(recommend.main, [*arguments, '--output-dir', folder], folder / 'stdout', folder / 'stderr')
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return (folder / 'stdout').read_text(), status, (folder / 'stderr').read_text()
