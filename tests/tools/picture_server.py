"""A server of cover pictures with good and bad answers, by path."""

import contextlib
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

SILENCE = 30  # seconds that /silent does not answer
CHUNKS, CHUNK = 2000, 1 << 16  # of /endless, 131 MB


def encoded(size, form='JPEG', mode='RGB'):
    """Return a picture of one colour as bytes."""
    packed = io.BytesIO()
    Image.new(mode, size, 1).save(packed, form)
    return packed.getvalue()


def photograph():
    """Return a JPEG of noise, as large as MyAnimeList's covers."""
    packed = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (318, 225, 3), np.uint8)).save(packed, 'JPEG')
    return packed.getvalue()


GOOD = photograph()
ANSWERS = {
    'good': GOOD,
    'png': encoded((225, 318), 'PNG', 'P'),
    'truncated': GOOD[:9000],
    'html': b'<html>Request blocked</html>',
    'bomb': encoded((20000, 20000), 'PNG', '1'),
    'large': encoded((5000, 4000), 'PNG', '1'),
    'dot': encoded((1, 1), 'PNG'),
    'empty': b'',
}
MOVED = {'local': 'file:///etc/passwd', 'ftp': 'ftp://127.0.0.1/a.jpg', 'loop': '/loop', 'moved': '/good'}
BAD = [
    'html',
    'bomb',
    'large',
    'dot',
    'empty',
    'truncated',
    'cut',
    'local',
    'ftp',
    'loop',
    'gone',
    'endless',
    'silent',
]


class Handler(BaseHTTPRequestHandler):
    """Answers by the path up to '?'."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        name = self.path.split('?')[0].strip('/')
        self.server.asked.append(self.path)
        if name == 'silent':
            self.server.stop.wait(SILENCE)
            return
        content = ANSWERS.get(name, b'')
        self.send_response(302 if name in MOVED else 404 if name == 'gone' else 200)
        if name in MOVED:
            self.send_header('Location', MOVED[name])
        if name != 'endless':
            self.send_header('Content-Length', str(len(content) + 5000 * (name == 'cut')))
        self.end_headers()
        self.wfile.write(content)
        with contextlib.suppress(OSError):
            for _ in range(CHUNKS if name == 'endless' else 0):
                self.wfile.write(bytes(CHUNK))
                self.server.sent += CHUNK


class PictureServer(ThreadingHTTPServer):
    """`asked` lists the paths in order, `sent` counts the bytes of /endless."""

    daemon_threads = True
    request_queue_size = 64  # the default of 5 lets connections wait a second when eight come at once

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.asked, self.sent, self.stop = [], 0, threading.Event()
        self.url = f'http://127.0.0.1:{self.server_port}/'

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.shutdown()
        self.server_close()
