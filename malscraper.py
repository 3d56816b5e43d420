#!/usr/bin/env python3
"""Gather MyAnimeList usernames from the page of recently online users.

The API has no way to list users, so this script loads https://myanimelist.net/users.php again and again: every load shows the
20 users who touched a page last. It waits longer while there is little new to see and loads sooner when it misses people.

Reads   the users page (--url), and the names that the output file already holds
Writes  users.txt (--output): one username a line, appended page by page, each page synced to the disk before the next load. No
        name is written twice; names that differ only in case are one. Run it again to go on.

    python3 malscraper.py --hours 48 --output users.txt

Exit status: 0 the hours are over; 2 a wrong option or setting; 3 the output file cannot be used, or another scraper is using
it; 4 it cannot be written any more (disk full); 5 the site cannot be reached or refuses us; 6 the pages have no names;
7 a library is missing, or WSL; 129 closed terminal; 130 Ctrl-C; 143 SIGTERM. What was reported as gathered is in the file.
"""
import argparse
import collections
import contextlib
import math
import os
import random
import re
import signal
import sys
import time
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

try:
    import fcntl                # locks, which Windows does not have
    import bs4
    import requests
    import urllib3
    from requests.exceptions import InvalidSchema, InvalidURL
except ImportError as missing:
    print(f'malscraper: {missing};', 'on Windows, run this under WSL.' if missing.name == 'fcntl' else
          'run pip install -r requirements.txt, or, where that is done, source .venv/bin/activate.', file=sys.stderr)
    sys.exit(7)

# What the options are when they are not given
URL = 'https://myanimelist.net/users.php'
OUTPUT = 'users.txt'
HOURS = 24.0                    # 0 or more, how long to go on; 0: until stopped
DELAY = 1.0                     # seconds, at least LEAST_DELAY, the least between two loads

# How often to load. A page samples those online: its share of names not seen of late estimates who comes and goes unseen
LEAST_DELAY = 0.5               # seconds; --delay may not be less
LONGEST_DELAY = 60.0            # seconds; with longer ones, short visits fall between two loads
LATE = 1800.0                   # seconds; a name on a page that was seen within them is a repeat
UNSEEN_SHARE = 0.2              # 0-1, the share of names on a page that are no repeats to aim at; less: more names, more loads
GAIN = 0.5                      # > 0, how fast the delay follows; more: faster and less steady

# What to do when a load fails
FIRST_BACKOFF = 10.0            # seconds to wait after one failure, doubled with every further one
LONGEST_BACKOFF = 600.0         # seconds, where the doubling ends
LONGEST_RETRY_AFTER = 86400.0   # seconds; a site that asks for more is asked again after them
FAILURES = 10                   # failures in a row that end the run
NAMELESS = 3                    # pages without any name in a row that end the run

# What is read of a page
TIMEOUT = (10, 30)              # seconds without a sign of life: while connecting, while reading
PAGE_SECONDS = 60.0             # seconds, the longest that one load may take, its parsing included
PAGE_BYTES = 2_000_000          # bytes; what comes after them is not read
USERNAME = re.compile('[A-Za-z0-9_-]{2,16}')
USER_AGENT = f'AniEmbed-malscraper/1.0 (usernames for anime recommendations) {requests.utils.default_user_agent()}'

# What is shown
LAST_PAGES = 20                 # pages that the progress line speaks of
LOG_SECONDS = 600.0             # seconds between two progress lines where standard error is no terminal


class Stop(Exception):
    """The run cannot go on: args are the exit status and a sentence for the user."""


class LoadFailed(Exception):
    """A load gave no names: args are the reason, the seconds that the site asks to wait, whether a page came at all."""


def read_options(arguments):
    """The checked options. Raises Stop with status 2 where one is wrong."""
    def refuse(message):
        raise Stop(2, f'{message}; --help shows the options.')

    parser = argparse.ArgumentParser(description='Gather MyAnimeList usernames from the page of recently online users.')
    parser.error = refuse       # one sentence instead of the whole usage
    parser.add_argument('--output', default=OUTPUT, metavar='FILE', help='names are appended to it (%(default)s)')
    parser.add_argument('--hours', default=HOURS, type=float, help='how long to go on; 0: until stopped (%(default)g)')
    parser.add_argument('--delay', default=DELAY, type=float,
                        help=f'least seconds between two loads, {LEAST_DELAY:g} or more (%(default)g)')
    parser.add_argument('--url', default=URL, help='the users page (%(default)s)')
    options = parser.parse_args(arguments)
    if not 0 <= options.hours <= 1e6:                   # nan fails too
        refuse(f'--hours must be from 0 to a million, not {options.hours}')
    if not LEAST_DELAY <= options.delay <= 86400:
        refuse(f'--delay must be from {LEAST_DELAY:g} to 86400 seconds, not {options.delay}')
    if not re.match('https?://[^/]', options.url):
        refuse(f'--url must be an http or https address, not {options.url!r}')
    return options


class UsersFile:
    """The output file, locked for as long as this process lives; `known` has its names in lower case."""

    def __init__(self, path):
        """Opens, locks and reads the file. Raises Stop with status 3 where that is not possible."""
        if os.path.exists(path) and not os.path.isfile(path):       # opening a pipe would wait for its other end
            raise Stop(3, f'{path} is not a plain file; give another --output.')
        try:
            self.file = open(path, 'ab+', buffering=0)
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.known, self.odd_lines, end = self.read()
            numbers = sum(map(str.isdigit, self.known))     # one may be a username, a list of them is one of MAL ids
            if self.odd_lines > len(self.known) or numbers > max(1, len(self.known) / 2):
                raise Stop(3, f'{path} is no list of usernames, so nothing is appended to it; give another --output.')
            if end not in (b'', b'\n'):     # a last line that is cut off or complete, nobody can tell: it stays, with an end
                self.file.write(b'\n')
        except OSError as problem:
            why = 'another malscraper is writing to it' if isinstance(problem, BlockingIOError) else problem.strerror
            raise Stop(3, f'cannot use {path} ({why}); give another --output.') from None
        self.at_start = len(self.known)

    def read(self):
        """The file's names in lower case, the number of its other lines that are not blank, and its last byte."""
        self.file.seek(0)
        data = self.file.read()
        lines = [line.strip() for line in data.decode('utf-8-sig', 'replace').splitlines() if line.strip()]
        names = [line.lower() for line in lines if USERNAME.fullmatch(line)]
        return set(names), len(lines) - len(names), data[-1:]

    def append(self, names):
        """Writes the names (no two alike) that are not known yet; returns these once they are on the disk. Raises Stop with
        status 4 where they cannot be written; the file is then as before."""
        new = [name for name in names if name.lower() not in self.known]
        data = ''.join(name + '\n' for name in new).encode()
        size = self.file.seek(0, os.SEEK_END)
        try:
            while data:
                data = data[self.file.write(data):]
            os.fsync(self.file)
        except OSError as problem:
            self.file.truncate(size)
            raise Stop(4, f'cannot write to {self.file.name} any more ({problem.strerror}); make room and start again.') from None
        self.known.update(name.lower() for name in new)
        return new


def read_page(body, url):
    """Usernames on a users page (in its order, no two alike), its count of users online or None, its title or ''.

    body: bytes of HTML. url: the page's address, whose host absolute links may name. Never raises: what is no users page has
    no names. A name is a link in a table cell to /profile/NAME on the site whose text is NAME, so avatars are none. In a
    changed page without such cells, links of that form count wherever they are in the content.
    """
    try:
        soup = bs4.BeautifulSoup(body.decode('utf-8', 'replace'), 'html.parser')
    except (bs4.builder.ParserRejectedMarkup, AssertionError, RecursionError):
        return [], None, ''
    hosts = '|'.join(re.escape(urlsplit(address).netloc) for address in (url, URL))
    profile = re.compile(rf'(?i:(?:https?:)?//(?:www\.)?(?:{hosts}))?/profile/({USERNAME.pattern})/?')
    in_cells, elsewhere = {}, {}
    for link in (soup.find(id='content') or soup).find_all('a', href=True):
        found, name = profile.fullmatch(link['href'].strip()), link.get_text(strip=True).lower()
        if found and found[1].lower() == name:
            (in_cells if link.find_parent('td') else elsewhere).setdefault(name, found[1])
    online = re.search('([0-9][0-9,.]{0,11})[ \n]{1,9}users? online', soup.get_text(' '))
    online = int(re.sub('[,.]', '', online[1])) if online else None
    title = ' '.join(soup.title.get_text(' ').split()) if soup.title else ''
    return list((in_cells or elsewhere).values()), online, title[:60]


class Site(requests.Session):
    """The users page, over one connection that is kept alive."""

    def __init__(self, url):
        super().__init__()
        self.url, self.max_redirects = url, 5
        self.headers['User-Agent'] = USER_AGENT

    def get_redirect_target(self, response):
        """As in requests, but only where it would take a password along: within the site, never from https to http."""
        target = super().get_redirect_target(response)
        here, there = response.url, urljoin(response.url, target or '')
        if self.should_strip_auth(here.replace('//www.', '//'), there.replace('//www.', '//')):
            raise LoadFailed(f'a redirect off the site to {there[:80]!r}', 0, False)
        return target

    def load(self):
        """One load: names and the count of users online, as read_page gives them. Raises LoadFailed or Stop."""
        # Time-outs of the socket alone would let a page that trickles go on for hours; a freak one is slow to parse too
        signal.setitimer(signal.ITIMER_REAL, PAGE_SECONDS, PAGE_SECONDS / 4)       # again, should a destructor eat it
        try:
            with self.get(self.url, timeout=TIMEOUT, stream=True) as response:
                body = b''
                for chunk in response.iter_content(16384):
                    body += chunk
                    if len(body) >= PAGE_BYTES:
                        break
            names, online, title = read_page(body, response.url)
        except (InvalidSchema, InvalidURL) as problem:
            raise Stop(2, f'pages cannot be loaded so; check --url and the proxy variables ({problem}).') from None
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as problem:      # those of requests are OSErrors
            while problem.__cause__ or problem.__context__:
                problem = problem.__cause__ or problem.__context__
            raise LoadFailed(f'the load failed ({str(problem)[:200]})', 0, False) from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        retry, asked = urllib3.Retry(), 0
        retry.retry_after_max = LONGEST_RETRY_AFTER     # newer versions of urllib3 stop at six hours otherwise
        with contextlib.suppress(ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
            asked = min(LONGEST_RETRY_AFTER, retry.get_retry_after(response) or 0)
        if response.status_code != 200:
            raise LoadFailed(f'status {response.status_code} ({str(response.reason)[:60]})', asked, False)
        if not names:
            raise LoadFailed(f'a page without any name, titled {title!r}', asked, True)
        return names, online


def say(text, stays=True):
    """Prints a line for the user. On a terminal, the next line takes the place of one that does not stay."""
    text = ''.join(filter(str.isprintable, text))       # a site's words may hold control sequences
    terminal = sys.stderr.isatty()
    if terminal:
        columns = max(20, os.get_terminal_size(sys.stderr.fileno()).columns)
        text = f'\r{text if stays else text[:columns - 1]}\x1b[K'
    try:
        print(text, end='\n' if stays or not terminal else '', file=sys.stderr, flush=True)
    except OSError:             # the reader of the log has gone, or its disk is full; the names matter more
        sys.stderr = open(os.devnull, 'w')


def scrape(site, users, options, clock):
    """Loads pages and saves their names until the hours are over. Raises Stop where it cannot go on."""
    end = clock.monotonic() + options.hours * 3600 if options.hours else math.inf
    delay, longest = options.delay, max(options.delay, LONGEST_DELAY)
    seen = {}                                           # name -> when it was seen last
    pages = collections.deque(maxlen=LAST_PAGES)        # (names, new names, repeats) of the last pages
    failures = nameless = 0                             # in a row
    due = -math.inf                                     # when a log file gets its next progress line
    while True:
        try:
            names, online = site.load()
        except LoadFailed as problem:
            reason, asked, page_came = problem.args
            failures += 1
            nameless = nameless + 1 if page_came else 0
            if nameless == NAMELESS:
                raise Stop(6, f'{NAMELESS} pages in a row had no names, the last was {reason}; look at {options.url} in a '
                              'browser: if names are there, the page has changed and this script must follow.')
            if failures == FAILURES:
                raise Stop(5, f'{FAILURES} loads in a row failed, the last with {reason}; try again in some hours, with a '
                              'longer --delay if the site has refused us.')
            delay = min(longest, 2 * delay)
            backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (failures - 1)) * random.uniform(0.75, 1)
            wait = max(backoff, delay, asked)
        else:
            failures = nameless = 0
            new = users.append(names)
            now = clock.monotonic()
            repeats = sum(now - seen.get(name, -math.inf) <= LATE for name in names)
            seen.update(dict.fromkeys(names, now))
            pages.append((len(names), len(new), repeats))
            # With fewer repeats than 1 - UNSEEN_SHARE we miss people: sooner. With more: later. So everybody who is online
            # for some minutes has about the same chance to be seen, by day and by night, whatever the number of members
            change = GAIN * (UNSEEN_SHARE - 1 + repeats / len(names))
            wait = delay = max(options.delay, min(longest, delay * math.exp(change)))
        now = clock.monotonic()
        until = time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(clock.time() + wait))
        if failures:
            then = f'waiting until {until}' if now + wait < end else 'the hours are over before the next try'
            say(f'{reason}; failure {failures} in a row, {then}.')
        elif sys.stderr.isatty() or now >= due:
            due = now + LOG_SECONDS
            shown, fresh, repeats = map(sum, zip(*pages))
            left = f'{timedelta(seconds=max(0, int(end - now)))} left' if options.hours else 'until stopped'
            pause = f', few unseen: next load {until}' if wait > 5 else ''
            say(f'{len(users.known)} names, {left}, {fresh} of the last {shown} new, {repeats / shown:.0%} repeats, '
                f'{online or "?"} online{pause}', stays=False)
        if now + wait >= end:
            break
        clock.sleep(wait)
    if not pages:
        raise Stop(5, 'the hours were over before any page could be loaded.')


def on_signal(number, _):
    if number == signal.SIGALRM:
        raise TimeoutError(f'not complete after {PAGE_SECONDS:g} seconds')
    raise KeyboardInterrupt(128 + number)


def main(arguments=None, clock=time):
    """Runs the script and returns its exit status. clock: anything with monotonic(), time() and sleep()."""
    sys.stderr = sys.stderr or open(os.devnull, 'w')    # None: the shell has closed it
    users, status, began = None, 0, clock.monotonic()
    stops = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    try:
        for number in (signal.SIGALRM, *stops):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:      # nohup has it ignored
                signal.signal(number, on_signal)
        options = read_options(arguments)
        users = UsersFile(options.output)
        if users.odd_lines:
            say(f'Lines of {options.output} that are no usernames, and stay as they are: {users.odd_lines}.')
        scrape(Site(options.url), users, options, clock)
    except Stop as stop:
        status, sentence = stop.args
        say(f'malscraper: {sentence}')
    except KeyboardInterrupt as interrupt:
        for number in stops:                            # a second one must not break the last line
            signal.signal(number, signal.SIG_IGN)
        status = interrupt.args[0]
    if users:
        total = len(users.read()[0])                    # of the file itself: the interrupt may have met a save
        new, took = total - users.at_start, timedelta(seconds=int(clock.monotonic() - began))
        how = ' To go on, run the same command again.' if status >= 128 else ''
        say(f'{new} new name{"s" * (new != 1)} in {took}; {options.output} holds {total}.{how}')
        users.file.close()
    return status


if __name__ == '__main__':
    sys.exit(main())
