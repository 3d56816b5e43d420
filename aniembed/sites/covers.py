"""Fetch the titles' cover pictures into a folder, and open them."""

import collections
import io
import os
import time
import warnings
from concurrent import futures

from PIL import Image
from tqdm import tqdm

from aniembed import files

MAX_BYTES = 5 << 20  # the largest file taken for a cover; MyAnimeList's are below 200 kB
MAX_PIXELS = 10 << 20  # the most pixels of one; MyAnimeList's have below 400,000
MIN_SIDE = 16  # pixels; a smaller picture is a tracking dot or a placeholder
KEPT_SIZE = 450, 640  # pixels that a kept cover has at most; MyAnimeList's large covers are 425 x 600
KEPT_QUALITY = 92  # of JPEG
CHUNK = 1 << 16  # bytes read at a time
WORKERS = 8  # covers fetched at the same time
TIMEOUT = 5  # seconds that a picture server may be silent,
PATIENCE = 4  # and so many times that a whole cover may take
BAD_COVER = OSError, ValueError  # what makes a cover be left out; requests' own errors are OSErrors


def open_cover(content):
    """Return the picture in these bytes as an RGB image; ValueError if it is broken or of no sane size."""
    try:
        picture = Image.open(io.BytesIO(content), formats=('JPEG', 'PNG', 'WEBP', 'GIF'))
        if picture.width * picture.height <= MAX_PIXELS and min(picture.size) >= MIN_SIDE:
            return picture.convert('RGB')
    except Exception as error:  # foreign bytes can fail in any way that Pillow's decoders know
        raise ValueError('not a whole image') from error
    raise ValueError('an image of no sane size')


def read_cover(path):
    """Return the picture in a file as an RGB image; OSError or ValueError if there is none."""
    with open(path, 'rb') as file:
        return open_cover(file.read(MAX_BYTES))


def fetch_cover(url, path):
    """Fetch one cover into the file `path`, as a JPEG of at most KEPT_SIZE.

    OSError or ValueError if there is no good picture.
    """
    import requests  # takes 0.1 s, and most runs fetch no covers

    content, until = bytearray(), time.monotonic() + PATIENCE * TIMEOUT
    with requests.get(url, stream=True, timeout=TIMEOUT) as answer:  # follows http and https only
        answer.raise_for_status()
        for piece in answer.iter_content(CHUNK):
            content += piece
            if len(content) > MAX_BYTES or time.monotonic() > until:
                raise ValueError('too large or too slow')
    picture = open_cover(bytes(content))
    picture.thumbnail(KEPT_SIZE)
    with files.whole_files(path) as (file,):
        picture.save(file, 'JPEG', quality=KEPT_QUALITY)


def fetch_covers(urls, folder):
    """Fetch the covers that a folder lacks; returns a dict MAL id -> path of all that are there then.

    urls: dict MAL id -> address of the picture. A cover that fails is left out. Where no server answers, the
    rest is given up within seconds. RunError if the folder cannot be written to.
    """
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Pillow warns of harmless faults in pictures
        warnings.simplefilter('error', Image.DecompressionBombWarning)
        covers, wanted = _kept_covers(urls, folder)
        if wanted:
            files.make_folder(folder, 'COVERS_DIR')
            kept = len(covers)
            fetched, failed = _fetch_all(wanted)
            covers |= fetched
            number = sum(failed.values())
            given_up = len(wanted) - len(fetched) - number
            print(
                f'covers: {len(fetched):,} fetched, {kept:,} were there, {number:,} could not be fetched'
                + (f' (most often: {max(failed, key=failed.get)})' if failed else '')
                + (f', {given_up:,} not tried because no server answers' if given_up else '')
            )
    return {mal_id: covers[mal_id] for mal_id in urls if mal_id in covers}


def _kept_covers(urls, folder):
    """Return the paths of the covers that are there and whole, and (address, path) of the others."""
    kept, wanted = {}, {}
    for mal_id, url in urls.items():
        path = os.path.join(folder, f'{mal_id}.jpg')
        try:
            read_cover(path)
            kept[mal_id] = path
        except BAD_COVER:
            wanted[mal_id] = url, path
    return kept, wanted


def _fetch_all(wanted):
    """Fetch covers in parallel until nobody answers; returns those fetched, and how many failed for what."""
    from requests import ConnectionError, Timeout

    fetched, failed, silent = {}, collections.Counter(), 0
    pool = futures.ThreadPoolExecutor(WORKERS)
    try:
        jobs = {pool.submit(fetch_cover, *task): mal_id for mal_id, task in wanted.items()}
        answered = futures.wait(jobs, TIMEOUT + 1, futures.FIRST_COMPLETED).done
        finished = futures.as_completed(jobs) if answered else ()
        for job in tqdm(finished, 'covers', len(jobs), disable=None, dynamic_ncols=True):
            mal_id = jobs[job]
            try:
                job.result()
                fetched[mal_id], silent = wanted[mal_id][1], 0
            except BAD_COVER as error:
                failed[_reason(error)] += 1
                silent = silent + 1 if isinstance(error, (ConnectionError, Timeout)) else 0
                # One silent server a worker is enough to give up, three where covers came before
                if silent == WORKERS * (3 if fetched else 1):
                    break
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return fetched, failed


def _reason(error):
    """Return in a few words why a cover could not be fetched."""
    from requests import ConnectionError, HTTPError, RequestException, Timeout

    if isinstance(error, HTTPError):
        return f'status {error.response.status_code}'
    if isinstance(error, Timeout):
        return 'no answer'
    if isinstance(error, ConnectionError):
        return 'no connection'
    if 'SOCKS' in str(error):  # a proxy that requests cannot use without PySocks
        return f'{files.one_line(error, 60)} Check the proxy variables'
    return 'no address' if isinstance(error, RequestException) else files.one_line(error, 60)
