"""A web server that plays a script of answers, the users page, a clock that does not wait, and a killer."""

import contextlib
import random
import socket
import threading
import time


def members(start, count=20):
    return [f'Member-{number}' for number in range(start, start + count)]


def users_page(names, online='6,649', title='Users - MyAnimeList.net', host=''):
    """Return HTML in the form of MyAnimeList's page of recently online users."""
    cells = ''.join(
        f"""<td align="center" class="borderClass">
        <div style="margin-bottom: 7px;"><a href="{host}/profile/{name}">{name}</a></div>
        <div class="picSurround"><a href="{host}/profile/{name}"><img src="/images/{name}.jpg"></a></div>
        <div class="spaceit_pad lightLink"><small>{age} seconds ago</small></div></td>"""
        + ('</tr><tr>' if age % 5 == 4 else '')
        for age, name in enumerate(names)
    )
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title></head><body>
        <div id="menu"><a href="/login.php">Login</a> <a href="/profile/Staff">Staff</a></div>
        <div id="content"><table><tr><td><div class="normal_header">Recently Online Users</div>
        <table><tr>{cells}</tr></table></td>
        <td><div class="normal_header">Online Users?</div>{online} users online
        <a href="/clubs.php">Clubs</a> <a href="https://elsewhere.example/profile/Stranger">Stranger</a></td>
        </tr></table></div></body></html>""".encode()


def answer(body, status='200 OK', *headers):
    head = '\r\n'.join([f'HTTP/1.1 {status}', f'Content-Length: {len(body)}', *headers])
    return head.encode() + b'\r\n\r\n' + body


class Server:
    """Answer every request with the next answer of a script, and with the last one from then on.

    An answer is bytes, or a function of the socket, after which the connection is closed. `heads`: each
    request's head; `connections`: their number.
    """

    def __init__(self, script):
        self.script = iter(script)
        self.heads = []
        self.connections = 0
        self.lock = threading.Lock()
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self.socket.getsockname()[1]}/users.php'

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def play(self, connection):
        """Return the answer to a request that came on this connection."""
        self.last = next(self.script, None) or self.last
        return self.last

    def accept(self):
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                connection, _ = self.socket.accept()
                self.connections += 1
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(ConnectionError):  # a killed client leaves it in any state
            head = b''
            while received := connection.recv(4096):
                head += received
                if head.endswith(b'\r\n\r\n'):
                    with self.lock:
                        self.heads.append(head.decode())
                        play = self.play(connection)
                    head = b''
                    if callable(play):
                        play(connection)
                        return
                    connection.sendall(play)


class Clock:
    """Time that passes only by sleeping. `waits`: every sleep, in seconds."""

    def __init__(self):
        self.now = time.time()
        self.waits = []

    def monotonic(self):
        return self.now

    time = monotonic

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


# Start one scraper after the other and kill each: at once, or soon after it wrote so many bytes. They are
# forked, as so many starts of Python take most of a minute, and wait a fiftieth of the time.
KILLER = """
import os, random, signal, sys, time
import malscraper

class FastClock:
    monotonic, time = time.monotonic, time.time
    def sleep(seconds):
        time.sleep(seconds / 50)

path = sys.argv[-1]
for life in range(24):
    goal = os.path.getsize(path) + (0, 1, 200, 500)[life % 4]
    child = os.fork()
    if not child:
        os._exit(malscraper.main(sys.argv[1:], FastClock))
    while os.path.getsize(path) < goal:
        time.sleep(0.001)
    time.sleep(random.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    if os.waitpid(child, 0)[1] != signal.SIGKILL:
        sys.exit('a scraper ended before it was killed')
"""


class Witness(Server):
    """Show pages of which about half is known, and note names that are not saved when they should be.

    Who asks for another page on the same connection must have the names of the one before in the file; `lost`
    has those that were not there.
    """

    def __init__(self, path):
        super().__init__(())
        self.path = path
        self.shown = []  # every page
        self.latest = {}  # connection -> the page shown last on it
        self.saved, self.lost = set(), set()

    def play(self, connection):
        saved = self.latest.get(connection, [])
        self.saved.update(saved)
        self.lost.update(set(saved).difference(self.path.read_text().split()))
        numbers = random.sample(range(len(self.shown) * 12 + 100), 20)
        self.latest[connection] = [f'm{number}' for number in numbers]
        self.shown.append(self.latest[connection])
        return answer(users_page(self.latest[connection]))
