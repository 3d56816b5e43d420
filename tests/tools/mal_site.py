"""The titles and members of the local MyAnimeList: generated, with their tastes, lists and secrets."""

import json
import random
from pathlib import Path

PRIVATE, MISSING, EMPTY = 0.04, 0.03, 0.12  # shares of members
LONG_LIST = 18_219  # entries of the member with the longest list (the last one of all)
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
    are those of test-data/animes.json, if that file is there.
    """

    def __init__(self, members=2000, titles=20_000, seed=1):
        self.seed = seed
        rng = random.Random(seed)
        self.nodes = self._real_titles()[:titles]
        self.nodes += [self._generated_title(rng, rank) for rank in range(len(self.nodes) + 1, titles + 1)]
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
        draw = random.Random(f'status {self.seed} {name.lower()}').random()
        return 'missing' if draw < MISSING else 'private' if draw < MISSING + PRIVATE else 'ok'

    def entries(self, name):
        """The member's list: (title's place in the ranking from 0, score 0-10) pairs, in no order."""
        i = self.index[name.lower()]
        if i == len(self.names) - 1:
            return [(place, place * 7 % 11) for place in range(min(LONG_LIST, len(self.nodes)))]
        rng = random.Random(f'{self.seed} {name.lower()}')
        if i >= 3 and rng.random() < EMPTY:
            return []
        liked, level, all_tens = set(rng.sample(GENRES, 3)), rng.gauss(0, 0.9), rng.random() < 0.05
        length = min(int(rng.lognormvariate(4.8, 1.0)) + 1, 2500, len(self.nodes) // 2)
        places = {}
        while len(places) < length:  # popular titles first, liked genres more often
            place = int(len(self.nodes) * rng.random() ** 3)
            likes = len(self.genres[place] & liked)
            if place in places or rng.random() > (0.3, 0.8, 1, 1)[likes]:
                continue
            score = self.nodes[place].get('mean', 7) + level + 0.8 * likes - 0.8 + rng.gauss(0, 1)
            places[place] = 0 if rng.random() < 0.31 else 10 if all_tens else min(10, max(1, round(score)))
        return list(places.items())

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
        """Return the relations of a title: its own, or every fifth one has a sequel, right after it."""
        if 'related_anime' in self.nodes[place]:
            return self.nodes[place]['related_anime']
        found = []
        for other, kind in ((place + 1, 'sequel'), (place - 1, 'prequel')):
            first = min(place, other)
            if first >= 0 and first % 5 == 0 and other < len(self.nodes):
                node = {key: self.nodes[other][key] for key in ('id', 'title')}
                found.append(
                    {'node': node, 'relation_type': kind, 'relation_type_formatted': kind.capitalize()}
                )
        return found

    def scores(self, name):
        """Return the member's list as a dict MAL id -> score."""
        return self.listed(name)[0]
