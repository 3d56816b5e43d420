"""The titles and members of the local MyAnimeList: generated, with their tastes, lists and secrets."""

import json
import random
from pathlib import Path

PRIVATE, MISSING, EMPTY = 0.04, 0.03, 0.12  # shares of members
LONG_LIST = 18_219  # entries of the member with the longest list (the last one of all)
CHANGED, BECAME_PRIVATE, VANISHED = 0.3, 0.04, 0.03  # shares of members, from one month to the next
SOURCES = 'manga', 'light_novel', 'original', 'game', 'web_manga', 'novel'
AIRING, UPCOMING = 24, 16  # titles of the new season
GENRES = [
    'Action',
    'Adventure',
    'Avant Garde',
    'Comedy',
    'Drama',
    'Fantasy',
    'Horror',
    'Mystery',
    'Romance',
    'Sci-Fi',
    'Slice of Life',
    'Sports',
    'Supernatural',
    'Suspense',
]


class Site:
    """Members, titles and lists that one seed makes: the same seed is the same site.

    `names` has the usernames, `nodes` the titles as the API gives them, in ranking order. The first titles
    are those of test-data/animes.json, if that file is there. After `titles` of them come AIRING and UPCOMING
    titles of the season 2026-fall, most of them the sequel of a known one; only the rankings airing and
    upcoming have these. In every month after the first, some lists change, become private or vanish. In the
    second month the airing titles have scores, and known titles' relations name the upcoming sequels.
    """

    def __init__(self, members=2000, titles=20_000, seed=1, month=1):
        self.seed, self.titles, self.month = seed, titles, month
        rng = random.Random(seed)
        self.nodes = self._real_titles()[:titles]
        self.nodes += [self._generated_title(rng, rank) for rank in range(len(self.nodes) + 1, titles + 1)]
        self.nodes += [self._new_title(place) for place in range(AIRING + UPCOMING)]
        self.genres = [{genre['name'] for genre in node.get('genres', ())} for node in self.nodes]
        names = {}
        while len(names) < members:
            name = self._generated_name(rng)
            names.setdefault(name.lower(), name)
        self.names = list(names.values())
        self.index = {name: i for i, name in enumerate(names)}

    @staticmethod
    def _real_titles():
        try:
            text = (Path(__file__).resolve().parents[2] / 'test-data' / 'animes.json').read_text(
                encoding='utf-8'
            )
        except FileNotFoundError:
            return []
        return list(json.loads(text).values())

    @staticmethod
    def _generated_title(rng, rank):
        syllables = rng.choice(
            (
                ('ka', 'mi', 'no', 'ha', 'ru', 'shi', 'to', 'yu', 'ra', 'ki'),
                ('ア', 'ニ', 'メ', 'の', '星', '空', '猫', '夢'),
                ('é', 'lan', 'çon', 'mü', 'ßen', 'ñor', 'ø'),
                ('star ', 'moon ', 'blade ', '& ', '"sky" ', '<3 ', '🌸 '),
            )
        )
        words = ''.join(rng.choice(syllables) for _ in range(rng.randint(3, 6))).strip().capitalize()
        node = {
            'id': 70_000 + rank,
            'title': f'{words} {rank}',
            'popularity': rank,
            'media_type': rng.choice(('tv', 'tv', 'movie', 'ova')),
            'alternative_titles': {'synonyms': [], 'en': '', 'ja': ''},
            'rating': 'pg_13',
            'source': SOURCES[rank % len(SOURCES)],
            'num_episodes': rng.choice((0, 1, 12, 13, 24)),
            'genres': [
                {'id': i + 1, 'name': GENRES[i]}
                for i in sorted(rng.sample(range(len(GENRES)), rng.randint(1, 3)))
            ],
            'studios': [
                {'id': studio, 'name': f'Studio {studio}'}
                for studio in rng.sample(range(1, 40), rng.choice((0, 1, 1, 2)))
            ],
        }
        if rng.random() < 0.95:  # the others are not aired yet
            node['mean'] = round(min(9.2, max(3.0, rng.gauss(7.6 - rank / 15_000, 0.6))), 2)
            node['start_season'] = {
                'year': rng.randint(1975, 2024),
                'season': rng.choice(('winter', 'spring', 'summer', 'fall')),
            }
        if rng.random() < 0.9:
            node['main_picture'] = {
                'medium': f'/pictures/{node["id"]}.png',
                'large': f'/pictures/{node["id"]}.png',
            }
        return node

    def _new_title(self, place):
        """Return a title of the season without scores: two of three are the sequel of a known title."""
        rng = random.Random(f'season {self.seed} {place}')
        known = self.nodes[self._continued(place)]
        node = {
            **self._generated_title(rng, self.titles + 1 + place),
            'title': f'{known["title"]}: New Season' if place % 3 else f'New Title {place}',
            'media_type': 'tv',
            'num_episodes': 12,
            'status': 'currently_airing' if place < AIRING else 'not_yet_aired',
            'start_season': {'year': 2026, 'season': 'fall'},
            'source': rng.choice(SOURCES),
            'genres': known['genres'] if place % 3 else rng.choice(self.nodes[:100])['genres'],
            'studios': known['studios'],
        }
        if place % 3 and 'source' in known:
            node['source'] = known['source']
        node.pop('mean', None)
        if self.month > 1 and place < AIRING:
            node['mean'] = round(rng.gauss(7.4, 0.5), 2)
        return node

    def _continued(self, place):
        """Return the place of the known title that a title of the season continues."""
        return place * 2 % min(100, self.titles)

    @staticmethod
    def _generated_name(rng):
        name = ''.join(
            rng.choice(('ko', 'Ma', 'ri', 'Sen', 'ta', 'Yo', 'ne', 'Li', 'dra', 'x', 'Zu', 'bel', 'or'))
            for _ in range(rng.randint(2, 4))
        )
        return (name + rng.choice(('', '_', '-')) + rng.choice(('', str(rng.randint(0, 9999)))))[:16]

    def status(self, name):
        """'ok', 'private' or 'missing' of a member; names that nobody has are missing."""
        i = self.index.get(name.lower())
        if i is None:
            return 'missing'
        if i == len(self.names) - 1 or i < 3:  # the longest list, and three that a small site can count on
            return 'ok'
        for month in range(1, self.month + 1):
            missing, private = (MISSING, PRIVATE) if month == 1 else (VANISHED, BECAME_PRIVATE)
            draw = random.Random(f'status {self.seed} {name.lower()}' + f' {month}' * (month > 1)).random()
            if draw < missing + private:
                return 'missing' if draw < missing else 'private'
        return 'ok'

    def entries(self, name):
        """The member's list: (title's place in the ranking from 0, score 0-10) pairs, in no order."""
        i = self.index[name.lower()]
        if i == len(self.names) - 1:
            return [(place, place * 7 % 11) for place in range(min(LONG_LIST, self.titles))]
        rng = random.Random(f'{self.seed} {name.lower()}')
        if i >= 3 and rng.random() < EMPTY:
            return []
        liked, level, all_tens = set(rng.sample(GENRES, 3)), rng.gauss(0, 0.9), rng.random() < 0.05
        length = min(int(rng.lognormvariate(4.8, 1.0)) + 1, 2500, self.titles // 2)
        places = {}
        while len(places) < length:  # popular titles first, liked genres more often
            place = int(self.titles * rng.random() ** 3)
            likes = len(self.genres[place] & liked)
            if place in places or rng.random() > (0.3, 0.8, 1, 1)[likes]:
                continue
            score = self.nodes[place].get('mean', 7) + level + 0.8 * likes - 0.8 + rng.gauss(0, 1)
            places[place] = 0 if rng.random() < 0.31 else 10 if all_tens else min(10, max(1, round(score)))
        for month in range(2, self.month + 1):
            self._change(places, random.Random(f'{self.seed} {name.lower()} {month}'))
        return list(places.items())

    def _change(self, places, rng):
        """Let a month pass on some of the lists: other scores, titles that go, some of the new season."""
        if rng.random() < CHANGED:
            for place in [place for place in places if rng.random() < 0.2]:
                places[place] = rng.randint(1, 10)
            for place in [place for place in places if rng.random() < 0.02]:
                del places[place]
            for place in rng.sample(range(AIRING), 5):
                places[self.titles + place] = rng.randint(4, 10)

    def listed(self, name):
        """Return the member's list as two dicts, MAL id -> score and MAL id -> status."""
        entries = [(self.nodes[place]['id'], place, score) for place, score in self.entries(name)]
        statuses = {mal_id: self.watching(place, score) for mal_id, place, score in entries}
        return {mal_id: score for mal_id, _, score in entries}, statuses

    @staticmethod
    def watching(place, score):
        """Return the watching status of an entry."""
        if score:
            return 'dropped' if score < 4 else 'completed'
        return ('plan_to_watch', 'watching', 'on_hold', 'completed')[place % 4]

    def related(self, place):
        """Return the relations of a title; where the file has none, every fifth one has a sequel after it."""
        found, others = list(self.nodes[place].get('related_anime', ())), []
        if place >= self.titles and (place - self.titles) % 3:
            others.append((self._continued(place - self.titles), 'prequel'))
        elif place < self.titles:
            announced = range(AIRING + (UPCOMING if self.month > 1 else 0))
            sequels = [new for new in announced if new % 3 and self._continued(new) == place]
            others += [(self.titles + new, 'sequel') for new in sequels]
            if 'related_anime' not in self.nodes[place]:
                for other, kind in ((place + 1, 'sequel'), (place - 1, 'prequel')):
                    if min(place, other) >= 0 and min(place, other) % 5 == 0 and other < self.titles:
                        others.append((other, kind))
        for other, kind in others:
            node = {key: self.nodes[other][key] for key in ('id', 'title')}
            found.append({'node': node, 'relation_type': kind, 'relation_type_formatted': kind.capitalize()})
        return found

    def scores(self, name):
        """Return the member's list as a dict MAL id -> score."""
        return self.listed(name)[0]
