#!/usr/bin/env python3
"""Gather MyAnimeList usernames from the page of recently online users.

The API cannot list users, so this script loads https://myanimelist.net/users.php again and again. Each load
shows the 20 users who were active last. The script loads less often while it sees the same users again, and
more often when it misses some.

Reads   the users page (--url), and the names that the output file already has
Writes  users.txt (--output): one username a line. The names of a page are on the disk before the next load.
        No name is written twice; names that differ only in case are the same.

    python3 malscraper.py --hours 48 --output users.txt

Exit status: 0 when the hours are over, 1 after too many failures, 2 for wrong usage, 130 for Ctrl-C. A run
can be stopped in any way and at any time; run the script again to go on.
"""

import argparse
import math
import os
import random
import re
import signal
import sys
import time
from datetime import timedelta

# Some libraries swallow a KeyboardInterrupt while they are imported: until then Ctrl-C ends the process
can_interrupt = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not with nohup
if __name__ == '__main__' and can_interrupt:
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

try:
    import fcntl  # locks on files, which Windows does not have

    import bs4
    import requests
    import urllib3
    from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
except ImportError as error:
    if __name__ != '__main__':
        raise
    sys.exit(f'malscraper.py: {error}; run pip install -r requirements.txt. On Windows, use WSL.')

# Defaults of the options
URL = 'https://myanimelist.net/users.php'
OUTPUT = 'users.txt'
HOURS = 24.0  # 0: until Ctrl-C
DELAY = 1.0  # seconds, the shortest time between two loads
LEAST_DELAY = 0.5  # seconds, the smallest --delay; the site bans those who call more often

# How often to load. A name that was seen within the last half hour is a repeat. The other names of a page are
# a sample of the users who come and go between two loads.
REPEAT_SECONDS = 1800.0
UNSEEN_SHARE = 0.2  # 0-1, the share of names that are no repeats to aim at; lower: more names, more loads
GAIN = 0.5  # > 0, how fast the delay follows that share; higher: faster and less steady
LONGEST_DELAY = 60.0  # seconds; short visits would fall between two loads that are further apart

# What to do when a load fails
FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 600.0  # seconds to wait; doubled with each failure in a row
LONGEST_RETRY_AFTER = 21600.0  # seconds, the longest wait that the site may ask for
MAX_FAILURES = 10  # failures in a row that end the run
TIMEOUT = 30  # seconds without any data
PAGE_SECONDS, PAGE_BYTES = 60.0, 2_000_000  # the longest time that a load may take, and the largest page

USERNAME = re.compile('[A-Za-z0-9_-]{2,16}')
PROFILE = re.compile(rf'(?:(?:https?:)?//(?:www\.)?myanimelist\.net)?/profile/({USERNAME.pattern})/?')
USER_AGENT = f'AniEmbed-malscraper/1.0 (anime recommendations) python-requests/{requests.__version__}'
LOG_EVERY = 100  # loads from one progress line to the next, if standard error is no terminal


class LoadFailed(Exception):
    """Say why a load gave no names. `retry_after`: the seconds that the site asks to wait."""

    def __init__(self, reason, retry_after=0):
        super().__init__(reason)
        self.retry_after = retry_after


def read_options(arguments):
    """Return the options; SystemExit with a sentence if one is wrong."""
    parser = argparse.ArgumentParser(
        'malscraper.py', argparse.SUPPRESS, 'Gather MyAnimeList usernames from the users page.'
    )
    parser.add_argument('--output', default=OUTPUT, metavar='FILE', help='file of the names (%(default)s)')
    parser.add_argument('--hours', default=HOURS, type=float, help='0: until Ctrl-C (%(default)g)')
    parser.add_argument('--delay', default=DELAY, type=float, help='shortest seconds a load (%(default)g)')
    parser.add_argument('--url', default=URL, help='the users page (%(default)s)')
    options = parser.parse_args(arguments)
    if not 0 <= options.hours < math.inf:
        parser.error(f'--hours is {options.hours}; it must be a number of 0 or more')
    if not LEAST_DELAY <= options.delay < math.inf:
        parser.error(f'--delay is {options.delay}; it must be at least {LEAST_DELAY:g} seconds')
    return options


class UsersFile:
    """The output file, locked against a second scraper. `known` has its names in lower case."""

    def __init__(self, path):
        try:
            self.file = open(path, 'ab+', buffering=0)  # noqa: SIM115, it stays open and locked
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.file.seek(0)
            data = self.file.read()
        except BlockingIOError:
            fail(f'another malscraper is writing to {path}; give another --output.')
        except OSError as error:
            fail(f'{path} cannot be used ({error.strerror}); give another --output.')
        lines = [line.strip() for line in data.decode('utf-8-sig', 'replace').splitlines() if line.strip()]
        # A username may be a number, but a file of numbers is one of MAL ids
        odd_lines = sum(line.isdigit() or not USERNAME.fullmatch(line) for line in lines)
        if odd_lines > max(1, len(lines) / 2):
            fail(f'{path} is not a list of usernames; give another --output.')
        if data and not data.endswith(b'\n'):
            self.file.write(b'\n')
        self.known = {line.lower() for line in lines}

    def append(self, names):
        """Write the names that are not known yet, and return how many that are once they are on the disk.

        If the disk is full, the file is left as it was and the run ends.
        """
        new = [name for name in names if name.lower() not in self.known]
        data = ''.join(name + '\n' for name in new).encode()
        size = self.file.seek(0, os.SEEK_END)
        try:
            while data:
                data = data[self.file.write(data) :]
            os.fsync(self.file)
        except OSError as error:
            self.file.truncate(size)
            fail(f'{self.file.name} cannot be written any more ({error.strerror}).')
        self.known.update(name.lower() for name in new)
        return len(new)


def read_page(body):
    """Return the usernames on a users page and its title.

    body: bytes of HTML. The names are in the page's order, no two alike; a page of another kind has none. A
    name is a link to /profile/NAME with the text NAME; the link of the picture has no text.
    """
    try:
        soup = bs4.BeautifulSoup(body.decode('utf-8', 'replace'), 'html.parser')
    except (bs4.builder.ParserRejectedMarkup, AssertionError):  # html.parser's word for hopeless markup
        return [], ''
    names = {}
    for link in (soup.find(id='content') or soup).find_all('a', href=True):
        profile, text = PROFILE.fullmatch(link['href']), link.get_text(strip=True)
        if profile and profile[1].lower() == text.lower():
            names.setdefault(text.lower(), text)
    title = ' '.join(soup.title.get_text(' ').split())[:60] if soup.title else ''
    return list(names.values()), title


def load_page(session, url):
    """Load the users page once and return its names; LoadFailed if it has none."""
    body, latest = b'', time.monotonic() + PAGE_SECONDS
    try:
        with session.get(url, timeout=TIMEOUT, stream=True, allow_redirects=False) as response:
            for chunk in response.iter_content(1024):
                body += chunk
                if len(body) > PAGE_BYTES or time.monotonic() > latest:
                    raise LoadFailed(f'the page was not complete after {len(body)} bytes')
    except (InvalidSchema, InvalidURL, MissingSchema) as error:
        fail(f'{error}; check --url and the proxy variables.', 2)
    except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:  # requests raises OSErrors
        while error.__cause__ or error.__context__:  # the innermost one is the shortest
            error = error.__cause__ or error.__context__
        raise LoadFailed(f'the load failed ({str(error)[:200]})') from None
    if response.status_code != 200:
        where = f' to {response.headers["Location"][:80]}' if response.is_redirect else ''
        reason = f'status {response.status_code} ({response.reason[:60]}){where}'
        raise LoadFailed(reason, retry_after(response))
    names, title = read_page(body)
    if not names:
        raise LoadFailed(f'a page without any name, titled {title!r}')
    return names


def retry_after(response):
    """Return the seconds that a response asks to wait, or 0."""
    try:
        return min(LONGEST_RETRY_AFTER, urllib3.Retry().get_retry_after(response) or 0)
    except (ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
        return 0


class Pace:
    """Decide how many seconds to wait before the next load. `least`: the shortest delay, in seconds."""

    def __init__(self, least):
        self.least, self.delay, self.longest = least, least, max(least, LONGEST_DELAY)
        self.seen = {}  # name -> when it was seen last
        self.failures = 0  # in a row

    def after_page(self, names, now):
        """Return the wait after a page.

        More than UNSEEN_SHARE of names that are no repeats means that users are missed: load sooner. Fewer:
        later. So everybody who is online for some minutes has about the same chance to be seen at any hour.
        """
        self.failures = 0
        repeats = sum(now - self.seen.get(name, -math.inf) <= REPEAT_SECONDS for name in names)
        self.seen.update(dict.fromkeys(names, now))
        change = GAIN * (UNSEEN_SHARE - 1 + repeats / len(names))
        self.delay = max(self.least, min(self.longest, self.delay * math.exp(change)))
        return self.delay

    def after_failure(self, retry_after):
        """Return the wait after a failed load; the loads after it are also further apart."""
        self.failures += 1
        self.delay = min(self.longest, 2 * self.delay)
        backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (self.failures - 1)) * random.uniform(0.75, 1)
        return max(backoff, self.delay, retry_after)


def scrape(load, users, hours, delay, clock=time):
    """Load pages and save their names until the hours are over, or too many loads in a row have failed.

    load: returns the names on a page, or raises LoadFailed. users: a UsersFile. hours: 0 for no end. delay:
    shortest seconds between two loads. clock: has monotonic(), time() and sleep().
    """
    end = clock.monotonic() + hours * 3600 if hours else math.inf
    pace, loads = Pace(delay), 0
    while True:
        try:
            names = load()
        except LoadFailed as failure:
            wait = pace.after_failure(failure.retry_after)
            if pace.failures == MAX_FAILURES:
                fail(
                    f'{MAX_FAILURES} loads in a row failed, the last with {failure}. Open the page in a '
                    'browser: if it has names, it has changed; if not, try again in some hours.'
                )
            until = time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(clock.time() + wait))
            say(f'{failure}; failure {pace.failures} in a row, waiting until {until}.')
        else:
            new = users.append(names)
            wait = pace.after_page(names, clock.monotonic())
            loads += 1
            if sys.stderr.isatty():
                say(f'{len(users.known)} names, {new} of {len(names)} new, next load in {wait:.0f} s', '')
            elif loads % LOG_EVERY == 1:
                say(f'{len(users.known)} names after {loads} loads')
        if clock.monotonic() + wait >= end:
            return
        clock.sleep(wait)


def say(text, end='\n'):
    """Print a line on standard error; with end='', the next one replaces it on a terminal."""
    text = ''.join(filter(str.isprintable, text))  # text from the site may hold control sequences
    start, rest = ('\r', '\x1b[K') if sys.stderr.isatty() else ('', '')
    print(f'{start}{text}{rest}', end=end, file=sys.stderr, flush=True)


def fail(sentence, status=1):
    """End the run with a sentence and this exit status."""
    say(f'malscraper.py: {sentence}')
    sys.exit(status)


def main(arguments=None, clock=time):
    """Run the script. clock: see scrape()."""
    options = read_options(arguments)
    users = UsersFile(options.output)
    before, began = len(users.known), clock.monotonic()
    session = requests.Session()
    session.headers['User-Agent'] = USER_AGENT
    try:
        scrape(lambda: load_page(session, options.url), users, options.hours, options.delay, clock)
    finally:
        duration = timedelta(seconds=int(clock.monotonic() - began))
        say(f'{len(users.known) - before} new names in {duration}; {options.output} has {len(users.known)}.')
        users.file.close()


if __name__ == '__main__':
    try:
        if can_interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        main()
    except KeyboardInterrupt:
        sys.exit(130)
