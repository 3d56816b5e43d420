"""malscraper.py against sockets that misbehave, processes that are killed, and a simulated day."""
import argparse
import contextlib
import email.utils
import fcntl
import gzip
import os
import pty
import random
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest
from conftest import ROOT
from hypothesis import given, settings, strategies
from simulated_site import DAY, SimulatedDay, fixed_scheme

import malscraper

USERNAME = re.compile('[A-Za-z0-9_-]{2,16}')


def users_page(names, online='6,649', title='Users - MyAnimeList.net', host=''):
    """HTML in the form of the users page."""
    cells = ''.join(f'''<td align="center" class="borderClass">
        <div style="margin-bottom: 7px;"><a href="{host}/profile/{name}">{name}</a></div>
        <div class="picSurround"><a href="{host}/profile/{name}"><img src="/images/{name}.jpg" alt="{name}"></a></div>
        <div class="spaceit_pad lightLink"><small>{age} seconds ago</small></div></td>'''
                    + ('</tr><tr>' if age % 5 == 4 else '') for age, name in enumerate(names))
    return f'''<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title></head><body>
        <div id="menu"><a href="/login.php">Login</a> <a href="/profile/Staff">Staff</a></div>
        <div id="content"><table><tr><td><div class="normal_header">Recently Online Users</div>
        <table><tr>{cells}</tr></table></td>
        <td><div class="normal_header">Online Users?</div>{online} users online
        <a href="/clubs.php">Clubs</a> <a href="https://elsewhere.example/profile/Stranger">Stranger</a></td>
        </tr></table></div></body></html>'''.encode('utf-8')


def answer(body, status='200 OK', *headers):
    head = '\r\n'.join([f'HTTP/1.1 {status}', f'Content-Length: {len(body)}', *headers])
    return head.encode() + b'\r\n\r\n' + body


class Server:
    """A web server that plays a script: every request gets the next answer, the last one again and again.

    An answer is bytes, or a function of the socket, after which the connection is closed. heads has each request's
    head; connections is their number.
    """

    def __init__(self, script, context=None):
        self.script = iter(script)
        self.heads = []
        self.connections = 0
        self.lock = threading.Lock()
        self.socket = socket.create_server(('127.0.0.1', 0))
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f'http{"s" if context else ""}://127.0.0.1:{self.socket.getsockname()[1]}/users.php'

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def play(self, connection):
        """The answer to a request that came on this connection."""
        self.last = next(self.script, None) or self.last
        return self.last

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except ssl.SSLError:        # a client that does not trust the certificate
                continue
            except OSError:             # closed: the test is over
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        # A killed scraper leaves its connection in any state
        with connection, contextlib.suppress(ConnectionError):
            head = b''
            while True:
                received = connection.recv(4096)
                if not received:
                    return
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
    """Time that passes only by sleeping. waits: every sleep, in seconds."""

    def __init__(self):
        self.now = time.time()
        self.waits = []

    def monotonic(self):
        return self.now

    time = monotonic

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


def members(start, count=20):
    return [f'Member-{number}' for number in range(start, start + count)]


def run(server, path, *options, clock=None):
    return malscraper.main(['--url', server.url, '--output', str(path), *options], clock or Clock())


def command(server, path, *options):
    return [sys.executable, str(ROOT / 'malscraper.py'), '--url', server.url, '--output', str(path), *options]


# The parser

def test_names_come_from_the_name_cells_only():
    assert malscraper.read_page(users_page(members(0)), malscraper.URL) == (
        members(0), 6649, 'Users - MyAnimeList.net')


@pytest.mark.parametrize('page, names', [
    (users_page(members(0, 3)), members(0, 3)),
    (users_page(members(0, 60), host='https://myanimelist.net'), members(0, 60)),
    (users_page(members(0), host='http://www.myanimelist.net'), members(0)),
    (users_page(members(0), host='//MyAnimeList.net'), members(0)),
    (users_page(['Kyon', 'KYON', 'Yuki_N', 'kyon']), ['Kyon', 'Yuki_N']),
    (users_page(['a', 'x' * 17, 'Mio.A', 'Mio A', 'Mi\u014d', '', 'ok']), ['ok']),
    (users_page(members(0)).replace(b'borderClass', b'card').replace(b'id="content"', b'id="main"'), members(0)),
    (users_page(members(0)).replace(b'<td', b'<li').replace(b'</td>', b'</li>'), members(0)),
    (b'<td><a class=n href=/profile/Azusa/ > Azusa\n</a>', ['Azusa']),
    (b'<td><a href="/profile/Azusa">Mugi</a><td><a href="/profile/Azusa/friends">friends</a>', []),
    (b'<td><a href="/profile/Azusa">Azu', []),
    (b'<td><a href="http://[/profile/Azusa">Azusa</a><td><a href="//evil.example/profile/Ritsu">Ritsu</a>', []),
    (b'<td><a href="ftp://myanimelist.net/profile/Azusa">Azusa</a>', []),
    (b'<td><a href="/clubs.php?cid=1">Club</a><td><a href="/login.php">Login</a><td><a name="x">Ritsu</a>', []),
    (b'', []), (b'\xff\xfe\x00<', []), (b'<![Yui[ ]]>', []), (b'9' * 100_000 + b' users', []),
])
def test_the_frame_may_change_but_a_name_must_be_one(page, names):
    assert malscraper.read_page(page, malscraper.URL)[0] == names


@settings(max_examples=200, deadline=None)
@given(strategies.data())
def test_mutated_pages_neither_raise_nor_yield_what_is_no_username(data):
    page = users_page(members(0, 6))
    for _ in range(data.draw(strategies.integers(1, 8))):
        start = data.draw(strategies.integers(0, len(page)))
        end = data.draw(strategies.integers(start, min(len(page), start + 60)))
        piece = data.draw(strategies.one_of(
            strategies.binary(max_size=8),
            strategies.sampled_from([b'<', b'>', b'"', b'</a>', b'<td>', b'<![CDATA[', b'<!--', b'&#x110000;',
                                     b'&#-1;', b'<a href="/profile/', b'href="//[', b'</div>', b'<title>', b'\0']),
            strategies.builds(lambda at: page[at:at + 40], strategies.integers(0, len(page)))))
        page = page[:start] + piece + page[end:]
    names, online, title = malscraper.read_page(page, malscraper.URL)
    assert all(USERNAME.fullmatch(name) for name in names)
    assert len({name.lower() for name in names}) == len(names)
    assert online is None or online >= 0
    assert isinstance(title, str)


# Faults of the site

BLOCKED = '<html><head><title>Request \u2717 blocked</title></head><body>your IP has been banned</body></html>'.encode()


def reset(connection):
    connection.sendall(answer(users_page(members(500)))[:900])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def silence(connection):
    connection.recv(1)          # until the client gives up


def trickle(connection):
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n')
    while True:
        connection.sendall(b'<')
        time.sleep(0.05)


# A time limit that strikes while a destructor runs is printed by Python and strikes again a little later
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
@pytest.mark.parametrize('fault, reason, least_wait', [
    (answer(BLOCKED), 'Request \u2717 blocked', 7.5),
    (answer(BLOCKED, '403 Forbidden'), 'status 403 (Forbidden)', 7.5),
    (answer(b'', '405 Method Not Allowed'), 'status 405', 7.5),
    (answer(b'', '429 Too Many Requests', 'Retry-After: 100'), 'status 429', 100),
    (lambda connection: connection.sendall(answer(b'', '429 Too Many Requests', 'Retry-After: ' + email.utils.formatdate(
        time.time() + 900, usegmt=True))), 'status 429', 800),      # in 15 minutes from this answer on
    (answer(b'', '429 Too Many Requests', 'Retry-After: soon\x1b[2J'), 'status 429', 7.5),
    (answer(b'', '429 Too Many Requests', 'Retry-After: 0'), 'status 429', 7.5),
    (answer(b'x' * 70_000, '500 Internal Server Error'), 'status 500', 7.5),
    (answer(b'', '503 Service Unavailable', 'Retry-After: 30'), 'status 503', 30),
    (reset, 'reset', 7.5),
    (lambda connection: connection.sendall(answer(users_page(members(500)))[:-300]), 'IncompleteRead', 7.5),
    (answer(b'not gzip', '200 OK', 'Content-Encoding: gzip'), 'the load failed', 7.5),
    (answer(b'', '302 Found', 'Location: http://localhost:9/users.php'), 'a redirect off the site', 7.5),
    (answer(b'', '302 Found', 'Location: http://[bad'), 'the load failed', 7.5),
    ([answer(b'', '302 Found', 'Location: /users.php')] * 6, 'Exceeded 5 redirects', 7.5),
    (silence, 'timed out', 7.5),
    (trickle, 'not complete', 7.5),
    (answer(b'<a href=/profile/Yui>' * 90_000), 'not complete', 7.5),       # parsing it takes hours
    (lambda connection: connection.sendall(b'\x1b[2Jnonsense\r\n\r\n'), 'the load failed', 7.5),
    (lambda connection: None, 'the load failed', 7.5),
])
def test_a_failed_load_is_announced_and_loses_nothing(tmp_path, monkeypatch, capfd, fault, reason, least_wait):
    monkeypatch.setattr(malscraper, 'TIMEOUT', (0.3, 0.3))
    monkeypatch.setattr(malscraper, 'PAGE_SECONDS', 0.6)
    faults = fault if isinstance(fault, list) else [fault]
    clock = Clock()
    with Server([answer(users_page(members(0))), *faults, answer(users_page(members(10)))]) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.27', clock=clock) == 0
    assert (tmp_path / 'users.txt').read_text().split() == members(0, 30)
    printed = capfd.readouterr().err
    assert [line for line in printed.splitlines() if reason in line and 'waiting until' in line]
    assert '\x1b' not in printed
    before, after, then = clock.waits[:3]
    assert before <= 1 and after >= least_wait
    assert after > then >= before       # sooner again only once a page has come


@pytest.mark.parametrize('play', [
    answer(gzip.compress(users_page(members(0))), '200 OK', 'Content-Encoding: gzip'),
    answer(users_page(members(0), title='Caf\u00e9').decode().encode('latin-1'), '200 OK',
           'Content-Type: text/html; charset=latin-1'),
    lambda connection: connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n' + users_page(members(0))),
], ids=['gzip', 'latin-1', 'without a length'])
def test_odd_but_good_pages(tmp_path, play):
    with Server([play]) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.001') == 0
    assert (tmp_path / 'users.txt').read_text().split() == members(0)


def test_of_fifty_megabytes_two_are_read(tmp_path):
    sent = []

    def flood(connection):
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n' + users_page(members(0)))
        for _ in range(500):
            sent.append(connection.send(b' ' * 100_000))

    with Server([flood, answer(users_page(members(0)))]) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.001') == 0
    assert (tmp_path / 'users.txt').read_text().split() == members(0)
    assert 1_900_000 < sum(sent) < 12_000_000           # the system's buffers come on top


def test_redirects_within_the_site_are_followed(tmp_path):
    with Server([answer(b'', '301 Moved Permanently', 'Location: /users.php?new=1'),
                 answer(users_page(members(0)))]) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.001') == 0
    assert (tmp_path / 'users.txt').read_text().split() == members(0)
    assert server.heads[1].startswith('GET /users.php?new=1 ')


@pytest.mark.skipif(not shutil.which('openssl'), reason='makes its certificate with openssl')
def test_a_certificate_of_nobody_is_refused(tmp_path, monkeypatch, capfd):
    key = str(tmp_path / 'key.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=127.0.0.1', '-addext',
                    'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', key], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(key)
    for variable in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'):       # they would hide a verification turned off
        monkeypatch.delenv(variable, raising=False)
    with Server([answer(users_page(members(0)))], context) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.001') == 5
    assert 'certificate verify failed' in capfd.readouterr().err
    assert server.heads == []


def test_ten_failures_in_a_row_end_the_run(tmp_path, capfd):
    clock = Clock()
    with Server([answer(users_page(members(0))), answer(b'', '500 Internal Server Error')]) as server:
        assert run(server, tmp_path / 'users.txt', clock=clock) == 5
    assert len(server.heads) == 11
    backoff = clock.waits[1:]
    for wait, full in zip(backoff, [10, 20, 40, 80, 160, 320, 600, 600, 600]):
        assert 0.75 * full <= wait <= full
    assert len(set(backoff)) == 9                       # jittered
    assert '10 loads in a row failed' in capfd.readouterr().err
    assert (tmp_path / 'users.txt').read_text().split() == members(0)


def test_a_retry_after_of_many_hours_is_kept(tmp_path):
    clock = Clock()
    with Server([answer(b'', '429 Too Many Requests', 'Retry-After: 50000'), answer(users_page(members(0)))]) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '14', clock=clock) == 0
    assert clock.waits[0] == 50_000
    assert (tmp_path / 'users.txt').read_text().split() == members(0)


def test_no_wait_is_announced_that_the_hours_do_not_allow(tmp_path, capfd):
    with Server([answer(b'', '500 Internal Server Error')]) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.004') == 5
    first, last, *_ = capfd.readouterr().err.splitlines()
    assert 'waiting until' in first and 'status 500' in last and 'waiting' not in last and 'the hours are over' in last


def test_three_pages_without_names_end_the_run(tmp_path, capfd):
    good, bad = answer(users_page(members(0))), answer(BLOCKED)
    with Server([bad, bad, good, bad, answer(b'', '502 Bad Gateway'), bad, bad, bad]) as server:
        assert run(server, tmp_path / 'users.txt') == 6
    assert len(server.heads) == 8
    assert '3 pages in a row had no names' in capfd.readouterr().err


def test_one_connection_that_says_who_it_is(tmp_path):
    pages = [answer(users_page(members(start))) for start in range(0, 600, 20)]
    with Server(pages) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.02') == 0
    assert (tmp_path / 'users.txt').read_text().split() == members(0, 600)
    assert len(server.heads) > 30 and server.connections == 1
    assert all('User-Agent: AniEmbed-malscraper/' in head for head in server.heads)


def test_the_delay_follows_what_the_pages_show(tmp_path):
    fresh = [answer(users_page(members(start))) for start in range(0, 800, 20)]
    same = [answer(users_page(members(0)))] * 40
    clock = Clock()
    with Server(fresh[:20] + same + fresh[20:]) as server:
        assert run(server, tmp_path / 'users.txt', '--hours', '0.5', '--delay', '0.7', clock=clock) == 0
    assert clock.waits[:20] == [0.7] * 20               # every name is new: as fast as is allowed
    assert clock.waits[20:60] == sorted(clock.waits[20:60]) and clock.waits[59] > 20
    assert clock.waits[60:80] == sorted(clock.waits[60:80], reverse=True) and clock.waits[79] < 1
    assert min(clock.waits) == 0.7 and max(clock.waits) == malscraper.LONGEST_DELAY


# The output file

@pytest.mark.parametrize('before, after', [
    (b'', b''),
    (b'Old_one\nmember-3\n', b'Old_one\nmember-3\n'),
    (b'Old_one\r\nMEMBER-3\r\n', b'Old_one\r\nMEMBER-3\r\n'),
    (b'\xef\xbb\xbfmember-3\n\n  \nOld_one', b'\xef\xbb\xbfmember-3\n\n  \nOld_one\n'),
    (b'Old_one\nmember-3\nM', b'Old_one\nmember-3\nM\n'),
    (b'1234\n', b'1234\n'),                             # a username may be a number
])
def test_what_the_file_holds_is_known_and_stays(tmp_path, before, after):
    path = tmp_path / 'users.txt'
    path.write_bytes(before)
    new = [name for name in members(0) if name.lower().encode() not in before.lower()]
    with Server([answer(users_page(members(0)))]) as server:
        assert run(server, path, '--hours', '0.001') == 0
        assert path.read_bytes() == after + ''.join(name + '\n' for name in new).encode()
        assert run(server, path, '--hours', '0.001') == 0
    assert path.read_bytes() == after + ''.join(name + '\n' for name in new).encode()


@pytest.mark.parametrize('content', ['to be,\nor not to be\n'.encode(), 'Mio\nYui\n'.encode('utf-16'), b'\0' * 5000,
                                     b'16498\n1535\n5114\n', b'1\n5\n20\n30\nMio\n'])
def test_a_file_that_is_no_list_of_names_is_left_alone(tmp_path, capfd, content):
    path = tmp_path / 'users.txt'
    path.write_bytes(content)
    assert malscraper.main(['--output', str(path), '--url', 'http://127.0.0.1:9/'], Clock()) == 3
    assert path.read_bytes() == content
    assert capfd.readouterr().err.count('\n') <= 2


def limit_file_size():
    """A disk that is full after 1,000 bytes of a file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def test_a_full_disk_ends_the_run_with_whole_lines(tmp_path):
    pages = [answer(users_page(members(start))) for start in range(0, 400, 20)]
    with Server(pages) as server:
        done = subprocess.run(command(server, tmp_path / 'users.txt', '--delay', '0.5'), capture_output=True, text=True,
                              preexec_fn=limit_file_size, timeout=30)
        assert done.returncode == 4
        assert 'cannot write' in done.stderr and 'Traceback' not in done.stderr
        assert (tmp_path / 'users.txt').read_text() == ''.join(f'{name}\n' for name in members(0, 100))
        assert run(server, tmp_path / 'users.txt', '--hours', '0.001') == 0


@pytest.mark.parametrize('options, status', [
    (['--delay', '0.4'], 2), (['--delay', 'nan'], 2), (['--delay', 'fast'], 2), (['--hours', '-1'], 2),
    (['--hours', '1e308'], 2), (['--delay', '1e308'], 2), (['--sped', '1'], 2),
    (['--url', 'myanimelist.net'], 2), (['--url', 'http://['], 2),
    (['--output', '.'], 3), (['--output', 'no/such/folder'], 3), (['--output', '/dev/null'], 3),
])
def test_wrong_options_end_with_a_sentence(tmp_path, monkeypatch, capfd, options, status):
    monkeypatch.chdir(tmp_path)
    assert malscraper.main(['--output', 'users.txt', *options], Clock()) == status
    printed = capfd.readouterr().err
    assert printed.startswith('malscraper: ') and 'Traceback' not in printed


def test_missing_libraries_end_with_a_sentence(tmp_path):
    done = subprocess.run([sys.executable, '-S', ROOT / 'malscraper.py', '--help'], cwd=tmp_path, capture_output=True,
                          text=True)
    assert done.returncode == 7 and 'pip install -r requirements.txt' in done.stderr and done.stderr.count('\n') == 1
    done = subprocess.run([sys.executable, '-S', '-c', 'import malscraper'], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 7


def test_windows_is_told_of_wsl():
    code = "import sys; sys.modules['fcntl'] = None; import malscraper"
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 7 and 'WSL' in done.stderr and done.stderr.count('\n') == 1


@pytest.mark.parametrize('proxy, status', [('socks9://127.0.0.1:1', 2), ('http://127.0.0.1:1', 5)])
def test_a_proxy_that_is_none_ends_with_a_sentence(tmp_path, monkeypatch, capfd, proxy, status):
    monkeypatch.setenv('http_proxy', proxy)
    monkeypatch.delenv('no_proxy', raising=False)
    options = ['--url', 'http://site.invalid/users.php', '--output', str(tmp_path / 'users.txt')]
    assert malscraper.main(options, Clock()) == status
    assert 'Traceback' not in capfd.readouterr().err


# Processes that end

def start(server, path, *options):
    """A scraper in a process of its own that has loaded at least one page."""
    loads = len(server.heads)
    process = subprocess.Popen(command(server, path, '--delay', '0.5', *options), stderr=subprocess.PIPE, text=True,
                               env={**os.environ, 'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'})
    deadline = time.monotonic() + 20
    while len(server.heads) == loads or not path.exists() or not path.read_bytes():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    return process


@pytest.mark.parametrize('number, status', [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupt_says_what_was_gathered_and_how_to_go_on(tmp_path, number, status):
    path = tmp_path / 'users.txt'
    with Server([answer(users_page(members(0))), answer(BLOCKED)]) as server:
        process = start(server, path)
        while 'waiting until' not in process.stderr.readline():
            pass
        process.send_signal(number)
        printed = process.communicate(timeout=20)[1]
    assert process.returncode == status
    assert printed.count('\n') == 1 and '20 new names' in printed and 'run the same command again' in printed
    assert path.read_text().split() == members(0)


def test_a_terminal_of_few_columns_shows_the_time_left_and_may_be_closed(tmp_path):
    """On a real terminal; closing it ends the scraper with status 129 unless nohup protects it."""
    path = tmp_path / 'users.txt'
    with Server([answer(users_page(members(start))) for start in range(0, 2000, 20)]) as server:
        for nohup in ([], ['bash', '-c', """trap '' HUP; exec "$@" """, '-']):
            terminal, its_end = pty.openpty()
            fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack('4H', 24, 60, 0, 0))
            process = subprocess.Popen([*nohup, *command(server, path, '--delay', '0.5')], stdin=its_end, stdout=its_end,
                                       stderr=its_end, start_new_session=True,
                                       preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
            os.close(its_end)
            shown = ''
            while shown.count('\r') < 4:
                shown += os.read(terminal, 1000).decode()
            lines = shown.split('\r')[1:4]
            assert all(re.match(r'\d+ names, 23:59:\d\d left, \d+ of the last \d+ new, ', line) for line in lines), lines
            assert all(len(line.replace('\x1b[K', '')) < 60 for line in lines)
            loads = len(server.heads)
            os.close(terminal)                          # the kernel sends SIGHUP
            if nohup:
                while len(server.heads) < loads + 3:
                    time.sleep(0.05)
                process.send_signal(signal.SIGTERM)
            assert process.wait(20) == (143 if nohup else 129)
    assert path.read_text().split() == members(0, len(path.read_text().split()))


def test_names_are_saved_where_standard_error_is_closed(tmp_path):
    with Server([answer(users_page(members(0)))]) as server:
        options = command(server, tmp_path / 'users.txt', '--hours', '0.0001')
        assert subprocess.run(['bash', '-c', '"$@" 2>&-', '-', *options], timeout=60).returncode == 0
    assert (tmp_path / 'users.txt').read_text().split() == members(0)


def test_a_second_scraper_on_the_file_is_refused_until_the_first_is_dead(tmp_path, capfd):
    path = tmp_path / 'users.txt'
    with Server([answer(users_page(members(0)))]) as server:
        process = start(server, path)
        assert run(server, path, '--hours', '0.001') == 3
        assert 'another malscraper is writing' in capfd.readouterr().err
        process.kill()
        process.communicate()
        assert run(server, path, '--hours', '0.001') == 0


# Starts one scraper after the other and kills each. The module is loaded once and the scrapers are forked from it, as
# fifty starts of Python would take most of a minute. Time runs fifty times as fast, so that a life sees several loads.
KILLER = '''
import os, random, signal, sys, time
import malscraper

class FastClock:
    monotonic, time = time.monotonic, time.time
    def sleep(seconds):
        time.sleep(seconds / 50)

for life in range(50):
    child = os.fork()
    if not child:
        os._exit(malscraper.main(sys.argv[1:], FastClock))
    time.sleep(random.uniform(0.005, 0.3))
    os.kill(child, signal.SIGKILL)
    if os.waitpid(child, 0)[1] != signal.SIGKILL:
        sys.exit('a scraper ended before it was killed')
'''


class Witness(Server):
    """Shows pages of which about half is known. Who asks for another page on the same connection must have the names
    of the one before in the file; lost has those that were not there."""

    def __init__(self, path):
        super().__init__(())
        self.path = path
        self.shown = []                 # every page
        self.latest = {}                # connection -> the page shown last on it
        self.saved, self.lost = set(), set()

    def play(self, connection):
        saved = self.latest.get(connection, [])
        self.saved.update(saved)
        self.lost.update(set(saved).difference(self.path.read_text().split()))
        self.latest[connection] = random.sample([f'm{number}' for number in range(len(self.shown) * 12 + 100)], 20)
        self.shown.append(self.latest[connection])
        return answer(users_page(self.latest[connection]))


@pytest.mark.slow
def test_fifty_kills_lose_nothing_and_break_no_line(tmp_path):
    path = tmp_path / 'users.txt'
    path.touch()
    with Witness(path) as server:
        done = subprocess.run([sys.executable, '-c', KILLER, '--url', server.url, '--output', str(path)], cwd=ROOT,
                              capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *names, rest = path.read_text().split('\n')
    assert rest == ''                                   # the last line has its end
    assert len(names) == len(set(names)) > 300
    assert not server.lost and server.saved <= set(names) <= set().union(*server.shown)
    assert server.connections > 25 and len(server.saved) > 300      # the kills met scrapers at work


# How much of a day is caught

class Names:
    """What UsersFile is, in memory."""

    def __init__(self):
        self.known = set()

    def append(self, names):
        new = [name for name in names if name not in self.known]
        self.known.update(new)
        return new


@pytest.mark.slow
@pytest.mark.parametrize('active, minutes', [(5_000, 15), (20_000, 15), (60_000, 15), (20_000, 5), (20_000, 30)])
def test_nine_of_ten_active_members_are_caught(active, minutes, capsys):
    day = SimulatedDay(active, seed=active, median_stay=60 * minutes)
    assert len(set(day.members)) == active
    names = Names()
    options = argparse.Namespace(hours=DAY / 3600, delay=malscraper.DELAY, url=malscraper.URL)
    malscraper.scrape(day, names, options, day)
    scraper = len(names.known), day.loads

    schemes = [('malscraper', scraper)]
    shorter = 100 * DAY / day.loads - 139               # the pause with which the fixed scheme loads as often
    for label, pause in [('100 loads, 10 min pause', 600), ('the same with as many loads', shorter)]:
        day.now, day.loads = 0.0, 0
        schemes.append((label, (len(fixed_scheme(day, pause)), day.loads)))
    with capsys.disabled():
        print()
        for label, (caught, loads) in schemes:
            print(f'{active:6} active, half stay over {minutes} min, {label:28} {caught / active:6.1%} caught, '
                  f'{loads:6} loads, {loads / caught:.3f} loads a name')
    fixed, as_many = schemes[1][1], schemes[2][1]
    assert scraper[0] >= 0.9 * active
    assert scraper[0] > as_many[0]
    if active < 60_000:     # there, nobody can: the fixed scheme is cheap a name because it leaves a fifth out
        assert scraper[1] / scraper[0] < fixed[1] / fixed[0]
