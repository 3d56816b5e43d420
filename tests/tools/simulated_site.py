"""A day on a simulated MyAnimeList, on a clock that does not wait.

What the site is like is assumed, not measured; the constants say how. Members come by a daily rhythm, once or
several times, stay for minutes to hours and touch a page every half minute or so. The users page shows the 20
who did so last. A visit that goes on past midnight is counted at the beginning of the same day, so that the
day starts in full swing.
"""

import numpy as np

DAY = 86400.0  # seconds
SWING = 0.5  # visits begin at a rate of 1 +- SWING, the peak at 19:12
FURTHER_VISITS = 1.0  # mean number of visits after a member's first of the day (Poisson)
MEDIAN_STAY = 15 * 60.0  # seconds; stays are log-normal, their logarithm has the standard deviation SPREAD
SPREAD = 1.0
SHORTEST, LONGEST = 60.0, 8 * 3600.0  # seconds; stays are cut to these
BETWEEN_TOUCHES = 30.0  # seconds between two touches, on average (Poisson)
SHOWN = 20  # members on the users page
LOAD_SECONDS = 0.4  # seconds that a load takes


class SimulatedDay:
    """The clock and the touches of one day; .load() is a load of malscraper.scrape().

    `members`: how many are active on the day. `median_stay`: seconds. The touches are `moments`, seconds from
    0 to DAY in order, and `members`, the member that each is of. `now`: seconds, may exceed DAY.
    """

    def __init__(self, members, seed, median_stay=MEDIAN_STAY):
        random = np.random.default_rng(seed)
        visits = 1 + random.poisson(FURTHER_VISITS, members)
        times = np.linspace(0, DAY, 2001)
        begun = np.cumsum(1 + SWING * np.cos(2 * np.pi * (times / DAY - 0.8)))
        begin = np.interp(random.random(visits.sum()), (begun - begun[0]) / (begun[-1] - begun[0]), times)
        stay = random.lognormal(np.log(median_stay), SPREAD, visits.sum()).clip(SHORTEST, LONGEST)
        touches = 1 + random.poisson(stay / BETWEEN_TOUCHES)
        first = np.zeros(touches.sum(), bool)
        first[np.cumsum(touches) - touches] = True
        moment = np.repeat(begin, touches) + np.where(
            first, 0, random.random(len(first)) * np.repeat(stay, touches)
        )
        order = np.argsort(moment % DAY)
        self.moments = (moment % DAY)[order]
        self.members = np.repeat(np.repeat(np.arange(members), visits), touches)[order]
        self.now = 0.0
        self.loads = 0

    def monotonic(self):
        return self.now

    time = monotonic

    def sleep(self, seconds):
        self.now += seconds

    def load(self):
        """Names of the 20 members who touched a page last, latest first."""
        self.loads += 1
        self.now += LOAD_SECONDS
        shown = {}
        last = int(np.searchsorted(self.moments, self.now)) - 1
        for touch in range(last, last - len(self.members), -1):  # below 0: the end of the day, see above
            shown[f'member{self.members[touch]}'] = None
            if len(shown) == SHOWN:
                break
        return list(shown)


def fixed_scheme(day, pause):
    """Bursts of 100 loads a second apart with a pause of so many seconds between; the set of names caught."""
    caught = set()
    while day.now < DAY:
        caught.update(day.load())
        day.sleep(pause if day.loads % 100 == 0 else 1)
    return caught


class Names:
    """What UsersFile is, in memory."""

    def __init__(self):
        self.known = set()

    def append(self, names):
        before = len(self.known)
        self.known.update(names)
        return len(self.known) - before
