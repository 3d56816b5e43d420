"""Call a site's JSON API: one call at a time, at a fixed pace, again after a failure.

Redirects are not followed, so the headers of a call go to one host only.
"""

import contextlib
import datetime
import os
import random
import time
from collections import namedtuple

import requests
import urllib3
from requests.exceptions import InvalidSchema, InvalidURL

from aniembed import settings
from aniembed.files import RunError

TIMEOUT = 30  # seconds without an answer after which a call has failed
BACKOFF = 5  # seconds to wait after a failure, doubled with each one in a row
LONGEST_BACKOFF = 600  # seconds, where the doubling ends
LONGEST_RETRY_AFTER = 3600  # seconds; if the site asks for a longer wait, the run ends
TRIES = 4  # calls for one list before it is left for the next run
MAX_FAILURES = 10  # failures in a row that end the run

# status: 'ok', 'private' or 'missing'; entries: {MAL id: (score 0-10, watching status)}; odd: number of
# entries that cannot be read; unknown: number of titles that only AniList has
MemberList = namedtuple('MemberList', 'status entries odd unknown', defaults=(0,))


class Failed(RunError):
    """A call that failed and may be tried again, after `retry_after` seconds or more."""

    def __init__(self, problem, retry_after=0):
        super().__init__(problem)
        self.retry_after = retry_after


class Refused(RunError):
    """A refusal with its HTTP status: 403 a private list, 404 no such member or title, 400 a wrong call."""

    def __init__(self, status, message):
        super().__init__(f'status {status}, {message}')
        self.status = status


def address_from(variable, default):
    """Return the address in an environment variable, or the default; UsageError if it is no address."""
    found = {variable: os.environ.get(variable) or default}
    settings.check(found, {variable: settings.address()})
    return found[variable]


class Client:
    """Call one API, with at least `delay` seconds from the start of one call to the start of the next.

    url: address of the API. headers: sent with every call. say: prints what the user should know. A subclass
    recognises in `check_refusal` the answers after which another try makes no sense.
    """

    site, least_delay = 'The site', 0.0  # seconds; it bans those who call more often

    def __init__(self, url, headers, delay=0.75, say=print):
        self.url, self.delay, self.say = url, delay, say
        self.session = requests.Session()
        self.session.headers.update(headers)
        self.failures = 0  # in a row
        self.worked = False  # whether any call did
        self.next_call = time.monotonic() + delay  # when the next call may start

    def __str__(self):
        hasty = f' {self.site} bans those who call more often than every {self.least_delay} s.'
        hasty *= self.delay < self.least_delay
        return f'Calls go to {self.url}, at least {self.delay:g} s apart.{hasty}'

    def call(self, url, shape, tries=TRIES, method='GET', **arguments):
        """Make a call until it succeeds, and return the JSON object of the answer.

        shape: {key: type} that the object must have. arguments: further ones of requests. Raises Failed after
        so many tries, Refused if the API refuses, RunError if the run has to end.
        """
        for left in reversed(range(tries)):
            try:
                body = self._judge(self._send(url, method, arguments), shape)
            except Failed as problem:
                self._count_failure(problem)
                if not left:
                    raise
            except Refused:
                self.failures, self.worked = 0, True
                raise
            else:
                self.failures, self.worked = 0, True
                return body

    def _send(self, url, method, arguments):
        """Wait until the next call may start, and make it."""
        time.sleep(max(0, self.next_call - time.monotonic()))
        self.next_call = time.monotonic() + self.delay
        try:
            return self.session.request(method, url, timeout=TIMEOUT, allow_redirects=False, **arguments)
        except (InvalidSchema, InvalidURL) as error:  # such as a SOCKS proxy without PySocks
            raise RunError(f'{url} cannot be called: {error} Check the proxy variables.') from None
        except requests.Timeout:
            raise Failed(f'no answer for {TIMEOUT:g} s') from None
        except (requests.RequestException, ValueError) as error:
            raise Failed(f'no connection, or one that broke off ({type(error).__name__})') from None

    def _judge(self, answer, shape):
        """Return the JSON object of an answer, or raise the error that the answer means."""
        status = answer.status_code
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            body = None
        body = body if isinstance(body, dict) else {}
        if status == 200 and all(isinstance(body.get(key), kind) for key, kind in shape.items()):
            return body
        self.check_refusal(status, body)
        problem = f'status {status}' if status != 200 else 'an answer that is not what the API gives'
        if answer.is_redirect:
            problem = f'status {status}, a redirect, which is not followed'
        raise Failed(problem, _retry_after(answer))

    def check_refusal(self, status, body):
        """Raise Refused or RunError for an answer after which another try makes no sense."""

    def _count_failure(self, problem):
        """Let the next call wait, and announce it; RunError after too many failures in a row."""
        self.failures += 1
        if self.failures >= MAX_FAILURES:
            self.failures = 0
            raise RunError(
                f'{MAX_FAILURES} calls in a row failed, the last with: {problem}. Run this again later.'
            ) from None
        if problem.retry_after > LONGEST_RETRY_AFTER:
            until = clock(problem.retry_after)
            raise RunError(f'{self.site} asks for no calls until {until}. Run this again then.') from None
        backoff = min(LONGEST_BACKOFF, BACKOFF * 2 ** (self.failures - 1) * random.uniform(1, 1.5))
        wait = max(backoff, problem.retry_after)
        self.next_call = max(self.next_call, time.monotonic() + wait)
        self.say(
            f'{clock()}  {problem}: waiting {wait:.1f} s, until {clock(wait)} '
            f'(failure {self.failures} in a row, {MAX_FAILURES} end the run)'
        )


def _retry_after(answer):
    """Return the seconds in the header Retry-After, which may be a date; 0 without one."""
    retry = urllib3.Retry()
    retry.retry_after_max = 1e6  # seconds; urllib3 2.6 stops at six hours otherwise
    with contextlib.suppress(ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
        return min(1e6, retry.get_retry_after(answer) or 0)
    return 0


def clock(seconds=0):
    """Return the time of day in so many seconds, with the date if it is more than an hour away."""
    moment = datetime.datetime.now() + datetime.timedelta(seconds=seconds)
    return f'{moment:%H:%M:%S}' if seconds < 3600 else f'{moment:%d %B, %H:%M}'
