"""A stand-in for MyAnimeList and AniList on this machine: users page, both APIs, and their bad days.

Writes nothing but the log that --log names: one JSON line a call, the Call with the clock's time before it.

    python3 tests/tools/mal_server.py --port 8080 --members 2000

prints the lines that point the scraper, the notebooks and recommend.py at it. Tests use `Server` directly:
`server.calls` is the log, `server.plan` holds the faults to come.
"""

import argparse
import collections
import html
import json
import random
import re
import socket
import struct
import sys
import threading
import time
import zlib
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for a run by itself
from tools import anilist  # noqa: E402
from tools.mal_site import AIRING, Site  # noqa: E402

CLIENT_ID = 'client-id-of-the-local-server'  # the one client id that this site knows
# What a patient client gets over whenever it meets it: --faults draws from these
PASSING = ['429', '429-seconds', '429-date', '429-odd', '403', '405', '500', '502', '503', '504']
PASSING += ['html', 'reset', 'cut', 'truncated', 'redirect-inside']
# What else can be planned for a call
OTHERS = ['429-days', 'silence', 'redirect', '401', '400']
OTHERS += ['forbidden']  # 403 as for too many calls
OTHERS += [
    'elsewhere',
    'https',
    'circle',
]  # the next page: on another host, with another scheme, this one again
OTHERS += ['odd', 'shape']  # some or all entries are not as they should be
OTHERS += ['null']  # no optional field has a value
OTHERS += ['move']  # titles change pages
BLOCK_PAGE = b'<html><head><title>Request blocked</title></head><body><h1>Request blocked.</h1></body></html>'

# time: time.monotonic() on arrival; status: of the answer, 0 for silence
Call = collections.namedtuple('Call', 'time path query client_id status fault')
Fault = collections.namedtuple('Fault', 'pattern kind times')  # pattern: searched for in path?query


class Server(ThreadingHTTPServer):
    """The site on 127.0.0.1, a context manager.

    site: a Site. port: 0 takes a free one. plan: the Faults to come, each met by the first calls that match.
    chance: share of the other calls, 0 to 1, that meet a fault of PASSING. touches_a_second: how many members
    touch a page. log: a text file. elsewhere: address that the faults `redirect` and `elsewhere` send clients
    to. `url` is the site's address, `calls` has every Call.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, site=None, port=0, plan=(), chance=0.0, touches_a_second=20, log=None, elsewhere=''):
        super().__init__(('127.0.0.1', port), Handler)
        self.site, self.plan, self.chance = site or Site(), list(plan), chance
        self.touches_a_second, self.log = touches_a_second, log
        self.elsewhere = elsewhere or 'http://localhost:1'
        self.url = f'http://127.0.0.1:{self.server_address[1]}'
        self.calls = []
        self.moved = 0  # how often the ranking has
        self.touched, self.touched_at = {}, None  # name -> when, the last one last; the latest load
        self.rng, self.lock, self.closing = random.Random(self.site.seed), threading.Lock(), threading.Event()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):  # a killed client is no news
            super().handle_error(request, client_address)

    def fault_for(self, target):
        with self.lock:
            for i, fault in enumerate(self.plan):
                if fault.times and re.search(fault.pattern, target):
                    self.plan[i] = fault._replace(times=fault.times - 1)
                    return fault.kind
            return self.rng.choice(PASSING) if self.rng.random() < self.chance else None

    def record(self, call):
        with self.lock:
            self.calls.append(call)
            if self.log:
                print(
                    json.dumps({'clock': time.strftime('%F %T'), **call._asdict()}), file=self.log, flush=True
                )

    def ranking(self):
        """The nodes in ranking order; every move brings the title behind a page's end before it."""
        nodes, last = self.site.nodes[: self.site.titles], self.site.titles - 1
        for move in range(self.moved):
            nodes.insert(min(499 + 3 * move, last // 2), nodes.pop(min(500 + 3 * move, last)))
        return nodes

    def recently_online(self):
        """(name, seconds ago) of the 20 members that were online last; members touch a page at random."""
        with self.lock:
            now = time.monotonic()
            number = 60  # at the first load
            if self.touched_at is not None:
                number = min(
                    1000, self.rng.randint(0, 1) + int((now - self.touched_at) * self.touches_a_second)
                )
            self.touched_at = now
            for i in range(number):
                name = self.rng.choice(self.site.names)
                self.touched.pop(name, None)
                self.touched[name] = now - (number - i) / self.touches_a_second
            return [(name, max(1, int(now - at))) for name, at in list(self.touched.items())[:-21:-1]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    wbufsize = -1
    server_version, sys_version = 'mal_server', ''

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.meet(self.answer)

    def do_POST(self):
        asked = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.meet(lambda path: self.faulty() or anilist.answer(self.server.site, path, asked))

    def meet(self, answer):
        arrival = time.monotonic()
        parts = urlsplit(self.path)
        self.query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        self.fault = self.server.fault_for(self.path)
        status, body, headers = 0, b'', {}
        if self.fault != 'silence':
            try:
                status, body, headers = answer(parts.path)
            except ValueError as error:
                status, body, headers = 400, {'message': f'invalid {error}', 'error': 'bad_request'}, {}
        client_id = self.headers.get('X-MAL-CLIENT-ID')
        self.server.record(Call(arrival, unquote(parts.path), self.query, client_id, status, self.fault))
        if self.fault != 'silence':
            self.send(status, body, headers)
        else:
            self.server.closing.wait(120)
            self.close_connection = True

    def answer(self, path):
        """Return (status, body, headers); a body that is no bytes goes out as JSON."""
        if self.faulty():
            return self.faulty()
        if path == '/users.php':
            return 200, self.users_page(), {}
        if path.startswith('/pictures/'):
            return 200, picture(path), {'Content-Type': 'image/png'}
        client_id = self.headers.get('X-MAL-CLIENT-ID')
        if not client_id or self.fault == 'forbidden':
            return 403, {'message': '', 'error': 'forbidden'}, {}
        if client_id != CLIENT_ID:
            return 400, {'message': 'Invalid client id', 'error': 'bad_request'}, {}
        if self.fault == '400':
            return 400, {'message': 'invalid q', 'error': 'bad_request'}, {}
        if path == '/v2/anime/ranking':
            return self.ranking()
        member = re.fullmatch(r'/v2/users/([^/]+)/animelist', path)
        if member:
            return self.animelist(unquote(member[1]))
        title = re.fullmatch(r'/v2/anime/(\d+)', path)
        return self.title(int(title[1])) if title else (404, {'message': '', 'error': 'not_found'}, {})

    def faulty(self):
        """Return the answer of a fault that has nothing to do with what is asked for, or None."""
        fault = self.fault
        if fault in ('429', '429-seconds', '429-date', '429-days', '429-odd'):
            retry_after = {
                '429-seconds': '1',
                '429-date': formatdate(time.time() + 2, usegmt=True),
                '429-days': '200000',
                '429-odd': 'Fri, 31 Dec 99999 23:59:59 GMT',
            }
            return 429, BLOCK_PAGE, {'Retry-After': retry_after[fault]} if fault in retry_after else {}
        if fault in ('403', '405', '500', '502', '503', '504'):
            return int(fault), BLOCK_PAGE, {}
        if fault == 'html':
            return 200, BLOCK_PAGE, {}
        if fault == 'redirect':
            return 302, b'', {'Location': self.server.elsewhere + self.path}
        if fault == 'redirect-inside':
            return 302, b'', {'Location': self.path}
        if fault == '401':
            return 401, {'error': 'invalid_token'}, {}
        return None

    def ranking(self):
        types = ('all', 'airing', 'upcoming', 'tv', 'ova', 'movie', 'special', 'bypopularity', 'favorite')
        ranking_type, site = self.query.get('ranking_type', 'all'), self.server.site
        if ranking_type not in types:
            raise ValueError('ranking_type')
        new = {'airing': site.nodes[site.titles :][:AIRING], 'upcoming': site.nodes[site.titles + AIRING :]}
        nodes = list(enumerate(new.get(ranking_type) or self.server.ranking(), 1))
        if self.fault == 'move':  # what this call shows is already out of date when the next one comes
            self.server.moved += 1
        fields = {'id', 'title', 'main_picture', *self.query.get('fields', '').split(',')}
        fields.discard('related_anime')
        return self.page(
            nodes, 500, lambda rank, node: {'node': self.node(node, fields), 'ranking': {'rank': rank}}
        )

    def title(self, mal_id):
        """One title, with its relations, which no other call gives."""
        site = self.server.site
        place = next((place for place, node in enumerate(site.nodes) if node['id'] == mal_id), None)
        if place is None:
            return 404, {'message': '', 'error': 'not_found'}, {}
        node = self.node(site.nodes[place], ('id', 'title', 'main_picture'))
        if 'related_anime' in self.query.get('fields', ''):
            node['related_anime'] = None if self.fault == 'null' else site.related(place)
            if self.fault == 'odd':
                node['related_anime'] += [None, {'node': None}, {'relation_type': 'sequel'}]
        return 200, node, {}

    def animelist(self, name):
        status = self.server.site.status(name)
        if status == 'private':
            return 403, {'message': '', 'error': 'not_permitted'}, {}
        if status == 'missing':
            return 404, {'message': '', 'error': 'not_found'}, {}
        entries = self.server.site.entries(name)
        if self.query.get('nsfw') != 'true':  # entries vanish silently, harmless ones among them
            entries = [(place, score) for place, score in entries if place % 20 != 7]

        def entry(place, score):
            node = self.server.site.nodes[place]
            status = {
                'status': self.server.site.watching(place, score),
                'score': score,
                'num_episodes_watched': node.get('num_episodes', 0),
                'is_rewatching': False,
                'updated_at': '2024-01-01T00:00:00+00:00',
            }
            shown = {'node': self.node(node, ('id', 'title', 'main_picture'))}
            return (
                {**shown, 'list_status': status} if 'list_status' in self.query.get('fields', '') else shown
            )

        return self.page(entries, 1000, entry)

    def page(self, items, limit, entry):
        """One page of entry(*item) for the items, and the address of the next."""
        query = dict(self.query)
        size, offset = int(query.get('limit', 100)), int(query.get('offset', 0))
        if not (0 < size <= limit and offset >= 0):
            raise ValueError('limit' if offset >= 0 else 'offset')
        paging = {}
        if offset + size < len(items):
            query['offset'] = offset if self.fault == 'circle' else offset + size
            base = self.server.elsewhere if self.fault == 'elsewhere' else f'http://{self.headers["Host"]}'
            if self.fault == 'https':
                base = f'https://{self.headers["Host"]}'
            paging['next'] = f'{base}{urlsplit(self.path).path}?{urlencode(query)}'
        if self.fault == 'shape':
            return 200, {'data': [{'node': {'title': 'without an id'}}], 'paging': {}}, {}
        data = [entry(*item) for item in items[offset : offset + size]]
        if self.fault == 'odd':
            data[1:1] = [None, {'node': {}}, {'node': {'id': 1, 'title': None}, 'list_status': None}]
            data.append({'node': {'id': 2}, 'list_status': {'status': 'completed', 'score': None}})
        return 200, {'data': data, 'paging': paging}, {}

    def node(self, node, fields):
        """The fields of a title that were asked for; pictures are this server's own."""
        shown = {key: value for key, value in node.items() if key in fields}
        if 'main_picture' in shown:
            shown['main_picture'] = {
                size: address if '://' in address else f'http://{self.headers["Host"]}{address}'
                for size, address in shown['main_picture'].items()
            }
        if self.fault == 'null':
            shown.update(dict.fromkeys(set(fields) - {'id', 'title'}))
        return shown

    def users_page(self):
        def cell(name, seconds):
            link = f'<a href="/profile/{html.escape(name)}">'
            return (
                f'<td class="borderClass" align="center">'
                f'<div style="margin-bottom: 7px;">{link}{name}</a></div>'
                f'<div class="picSurround">{link}<img src="/pictures/1.png" border="0"></a></div>'
                f'<div class="spaceit_pad lightLink"><small>{seconds} second{"s" * (seconds != 1)} ago'
                '</small></div></td>'
            )

        cells = [cell(name, seconds) for name, seconds in self.server.recently_online()]
        rows = ''.join(f'<tr>{"".join(cells[i : i + 5])}</tr>' for i in range(0, len(cells), 5))
        return (
            '<!DOCTYPE html><html><head><title>Users - MyAnimeList.net</title></head><body><div id="menu">'
            '<a href="/login.php">Login</a></div><div id="content"><table><tr><td valign="top">'
            '<div class="normal_header">Recently Online Users</div>'
            f'<table border="0" cellpadding="5" cellspacing="0" width="100%">{rows}</table></td>'
            '<td valign="top"><div class="normal_header">Online Users?</div>'
            f'{max(20, len(self.server.site.names) // 10)} users online'
            '</td></tr></table></div></body></html>'
        ).encode()

    def send(self, status, body, headers):
        if not isinstance(body, bytes):
            body, headers = (
                json.dumps(body).encode(),
                {'Content-Type': 'application/json; charset=UTF-8', **headers},
            )
        if self.fault == 'truncated':
            body = body[: len(body) // 2]
        self.send_response(status)
        for key, value in {
            'Content-Type': 'text/html; charset=UTF-8',
            'Content-Length': len(body),
            **headers,
        }.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.fault in ('reset', 'cut') else body)
        self.wfile.flush()
        if self.fault in ('reset', 'cut'):
            if self.fault == 'reset':  # closing without lingering sends RST
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            self.close_connection = True


def picture(path, width=90, height=128):
    """A PNG of one title: a gradient whose colours come from the path, so that no picture is anybody's."""
    first, second = (random.Random(path + end).choices(range(256), k=3) for end in 'ab')
    rows = b''.join(
        b'\0' + bytes((a * (height - y) + b * y) // height for a, b in zip(first, second)) * width
        for y in range(height)
    )

    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
        + chunk(b'IDAT', zlib.compress(rows))
        + chunk(b'IEND', b'')
    )


def read_arguments():
    parser = argparse.ArgumentParser(
        description='MyAnimeList on this machine, for trying the scraper and the notebooks.'
    )
    parser.add_argument(
        '--port', type=int, default=8080, help='on 127.0.0.1; 0 takes a free one (default 8080)'
    )
    parser.add_argument('--members', type=int, default=2000, help='of the site, at least 20 (default 2000)')
    parser.add_argument(
        '--titles', type=int, default=20_000, help='of the ranking, at least 20 (default 20000)'
    )
    parser.add_argument(
        '--month',
        type=int,
        default=1,
        help='2: the same site a month later, with lists that changed (default 1)',
    )
    parser.add_argument('--seed', type=int, default=1, help='another seed is another site (default 1)')
    parser.add_argument(
        '--faults',
        type=float,
        default=0.0,
        metavar='SHARE',
        help='share of the calls that fail in some way, 0 to 1 (default 0)',
    )
    parser.add_argument(
        '--plan',
        nargs=3,
        action='append',
        default=[],
        metavar=('PATTERN', 'FAULT', 'TIMES'),
        help='so many calls whose path?query has the pattern meet this fault; can be given several times. '
        'Faults: ' + ' '.join(PASSING + OTHERS),
    )
    parser.add_argument('--log', metavar='FILE', help='append one JSON line a call')
    settings = parser.parse_args()
    if not (settings.members >= 20 and settings.titles >= 20 and 0 <= settings.faults <= 1):
        parser.error('--members and --titles are at least 20, --faults is between 0 and 1')
    for _, kind, times in settings.plan:
        if kind not in PASSING + OTHERS or not times.isdecimal():
            parser.error(f'--plan: {kind} {times} is no fault and number')
    return settings


def main():
    settings = read_arguments()
    plan = [Fault(pattern, kind, int(times)) for pattern, kind, times in settings.plan]
    site = Site(settings.members, settings.titles, settings.seed, settings.month)
    try:
        log = open(settings.log, 'a', encoding='utf-8') if settings.log else None  # noqa: SIM115
        server = Server(site, settings.port, plan, settings.faults, log=log)
    except (OSError, OverflowError) as error:
        sys.exit(f'mal_server.py: cannot start: {getattr(error, "strerror", None) or error}')
    print(
        f'{settings.members:,} members and {settings.titles:,} titles at {server.url}. In another terminal:\n'
        '\n'
        f'export MAL_API_URL={server.url}/v2 ANILIST_URL={server.url}/anilist MAL_CLIENT_ID={CLIENT_ID}\n'
        f'python3 malscraper.py --url {server.url}/users.php --delay 0.5 --hours 0.05\n'
        'papermill anime_download.ipynb /tmp/anime.ipynb\n'
        'papermill lists_download.ipynb /tmp/lists.ipynb -p DELAY 0.01\n'
        'python3 embeddings.py ANIME_LIST=animelist.txt ANIME_DATA=animes.json ANIME_DATA_LIST=dataframe.pkl '
        f'OUTPUT_DIR=try\n\nA member is {site.names[0]}. Ctrl-C ends it.',
        flush=True,
    )
    with server:
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f'\nStopped after {len(server.calls)} calls.')
            sys.exit(130)


if __name__ == '__main__':
    main()
