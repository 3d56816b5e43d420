#!/usr/bin/env python3
"""Make the test data: a hundred real titles, and a hundred thousand members who do not exist.

    python3 test-data/make_test_data.py [FOLDER]

Reads titles.txt and tables.json from its own folder. Writes into FOLDER (default: its own folder)

    animelist.txt      MAL ids, one a line, most popular first
    animes.json        MAL id -> the title in the form of MyAnimeList's API, without pictures
    dataframe.pkl.gz   the lists: a row for each member, a column for each title
    users-long.txt     usernames in the form of malscraper.py; includes those of the lists
    users-short.txt    the first 2,500 of them

Facts about the titles were written down by hand in titles.txt. The members come from a model, so that
nobody's account is published. The seed is fixed: every run makes the same members.

The model. A member's taste is a liking, positive or negative, for kinds of titles (battles, tears, ...), for
genres, studios and franchises, and for old or new titles. Taste in a title is the weighted sum of these. A
title is on the list if

    appeal of the title + activity of the member + taste + chance > 0

Most members have a sequel on the list only together with its predecessor, more likely if they liked that. The
liking of a title is taste plus chance, and

    the member's level + the title's quality + the member's spread * liking

is cut into scores from 1 to 10. Some entries are unscored (0), fewer where the title was liked. Some members,
mostly with short lists, give 10 to everything.

The model is calibrated to figures of real lists (2016, the hundred most scored titles, members with at least
one score among them). Every run prints both.
"""

import gzip
import json
import pickle
import random
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aniembed import files  # noqa: E402 - needs the path above

# Sizes
SEED = 2016  # whole number; another one makes other members with the same figures
MEMBERS = 100_000  # rows of the pickle, a multiple of BLOCK
# Usernames in users-long.txt; the scraper also finds members whose lists are private or deleted
USERS_LONG = 104_000
USERS_SHORT = 2_500  # usernames in users-short.txt
BLOCK = 10_000  # members drawn at a time
CALIBRATION_MEMBERS = 40_000  # members drawn in each round of the calibration; they are not among the MEMBERS
CALIBRATION_ROUNDS = 16  # enough to converge

# Figures of real lists, to which the model is calibrated
SCORED_QUARTILES = (6, 15, 30)  # of the number of titles that a member has scored
SCORED_MEAN = 19.9  # mean of the same number
MOST_TO_HUNDREDTH = 3.8  # scorers of the first title / scorers of the hundredth
# Percentages of the scores 1, 2, ... 10
SCORE_SHARES = (0.2, 0.2, 0.3, 0.9, 2.4, 5.9, 15.6, 25.3, 25.7, 23.4)
MEMBER_MEAN_DEVIATION = 0.9  # standard deviation of the members' mean scores
ALL_TEN = 0.05  # share of members who score everything 10
UNSCORED = 0.31  # share of the entries without a score

# Shares of the variance of taste; they add up to 1
KIND_SHARE = 0.38
GENRE_SHARE = 0.22
STUDIO_SHARE = 0.14
ERA_SHARE = 0.18
FRANCHISE_SHARE = 0.08

# Effects of taste
TASTE_IN_SEEING = 2.0  # weight of taste in what a member watches; 0: only popularity counts
TASTE_IN_LIKING = 0.75  # share of taste in the variance of the liking; the rest is chance
LIKING_IN_SEQUEL = 1.2  # weight of the liking of a title in whether its sequel is watched
START_IN_MIDDLE = 4.5  # logits by which a sequel is less likely for members without its predecessor
LIKING_IN_SCORING = 0.4  # weight of the liking in whether an entry has a score
HABIT_OF_SCORING = 1.2  # standard deviation of the members' habit of leaving entries unscored (logits)
SPREAD_DEVIATION = 0.25  # standard deviation of the logarithm of the members' spread of scores
SHORT_LIST_ALL_TEN = 1.0  # by how much short lists are likelier to be all 10; 0: not at all

# MAL id | title | English | Japanese | start | type, episodes | rating | source | studios | genres |
# franchise | sequel of | mean in the order of popularity. "-": a franchise of its own; sequel of 0: of none;
# episodes "?": still running.
TITLES = Path(__file__).resolve().parent / 'titles.txt'
TABLES = json.loads((TITLES.parent / 'tables.json').read_text(encoding='utf-8'))
# Short names that people search for
SYNONYMS = {int(mal_id): names for mal_id, names in TABLES['synonyms'].items()}

# Relations that the column `sequel of` does not have: MAL id, relation type, MAL id
RELATIONS = [
    (121, 'alternative_version', 5114),
    (5114, 'alternative_version', 121),
    (11741, 'sequel', 356),
    (22297, 'alternative_version', 356),
]
NOT_AMONG_THEM = {356: 'Fate/stay night'}  # it joins two of the hundred

# Ids of MyAnimeList's genres, themes and demographics (the API calls them all genres) and of its studios
GENRES = TABLES['genres']
STUDIOS = TABLES['studios']

# Members who like one genre of a row tend to like the others
KINDS = {
    'battle': ['Action', 'Super Power', 'Martial Arts', 'Shounen', 'Adventure'],
    'everyday': ['School', 'Romance', 'Slice of Life', 'Comedy', 'Music', 'Romantic Subtext', 'Shoujo']
    + ['Sports'],
    'dark': ['Gore', 'Psychological', 'Horror', 'Suspense', 'Survival', 'Mystery', 'Avant Garde'],
    'other worlds': ['Isekai', 'Fantasy', 'Video Game', 'Reincarnation', 'Parody', 'Strategy Game', 'Ecchi'],
    'machines': ['Mecha', 'Sci-Fi', 'Space', 'Military', 'Time Travel', 'Adult Cast', 'Detective'],
    'tears': ['Drama', 'Romance', 'Supernatural', 'Romantic Subtext', 'Music'],
}

# Parts of usernames
SYLLABLES = TABLES['syllables']
ONSETS = TABLES['onsets']
VOWELS = ['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'ee', 'ia', 'oo', 'ou']
CODAS = ['', '', '', 'ck', 'd', 'l', 'm', 'n', 'nd', 'r', 'rd', 'rk', 's', 'sh', 't', 'th', 'x']
WORDS = TABLES['words']


def read_titles():
    """Read TITLES as a list of namespaces, in its order. `after` is the index of the predecessor.

    ValueError if the table contradicts itself: a repeated id, a sequel above its predecessor, an unknown
    genre or studio.
    """
    titles, position = [], {}
    for rank, line in enumerate(TITLES.read_text(encoding='utf-8').splitlines(), 1):
        mal_id, title, english, japanese, start, kind, rating, source, *others, after, mean = line.split(
            ' | '
        )
        studios, genres, franchise = others
        mal_id, after = int(mal_id), int(after)
        if mal_id in position or (after and after not in position):
            raise ValueError(f'TITLES: {mal_id} is repeated, or stands above its predecessor')
        position[mal_id] = rank - 1
        year, season = start.split()
        media_type, episodes = kind.split()
        titles.append(
            SimpleNamespace(
                mal_id=mal_id,
                title=title,
                english=english,
                japanese=japanese,
                year=int(year),
                season=season,
                media_type=media_type,
                episodes=None if episodes == '?' else int(episodes),
                rating=rating,
                source=source,
                studios=studios.split(', '),
                genres=genres.split(', '),
                franchise=title if franchise == '-' else franchise,
                after=position[after] if after else None,
                mean=float(mean),
                popularity=rank,
            )
        )
        unknown = set(titles[-1].genres) - set(GENRES) | set(titles[-1].studios) - set(STUDIOS)
        if unknown:
            raise ValueError(f'TITLES: {title} has a genre or studio without an id: {unknown}')
    return titles


def api_nodes(titles):
    """Return what animes.json holds: MAL id (string) -> node, in the form of MyAnimeList's API v2."""
    nodes = {}
    for t in titles:
        node = {
            'id': t.mal_id,
            'title': t.title,
            'alternative_titles': {'synonyms': SYNONYMS.get(t.mal_id, []), 'en': t.english, 'ja': t.japanese},
            'mean': t.mean,
            'popularity': t.popularity,
            'rating': t.rating,
            'source': t.source,
            'media_type': t.media_type,
            'num_episodes': t.episodes,
            'start_season': {'year': t.year, 'season': t.season},
            'genres': [{'id': GENRES[g], 'name': g} for g in t.genres],
            'studios': [{'id': STUDIOS[s], 'name': s} for s in t.studios],
        }
        if t.episodes is None:
            del node['num_episodes']
        node['related_anime'] = []
        nodes[str(t.mal_id)] = node
    names = {**NOT_AMONG_THEM, **{t.mal_id: t.title for t in titles}}
    sequels = [(titles[t.after].mal_id, 'sequel', t.mal_id) for t in titles if t.after is not None]
    prequels = [(after, 'prequel', before) for before, _, after in sequels]
    for mal_id, relation, other in prequels + sequels + RELATIONS:
        entry = {'node': {'id': other, 'title': names[other]}, 'relation_type': relation}
        entry['relation_type_formatted'] = relation.replace('_', ' ').capitalize()
        nodes[str(mal_id)]['related_anime'].append(entry)
    return nodes


def title_features(titles):
    """Return the titles as an array of features, n x f, rows of length 1.

    Columns: kinds, genres, studios, franchises, two for old or new. Rare genres weigh more, as rare words do
    in tf-idf: log(1 + titles / titles with it), where fewer than five titles count as five.
    """

    def indicator(names_of):
        names = sorted({name for t in titles for name in names_of(t)})
        return np.array([[name in names_of(t) for name in names] for t in titles], dtype=float)

    genres = indicator(lambda t: t.genres)
    genres *= np.log(1 + len(titles) / np.maximum(5, genres.sum(0)))
    names = sorted({name for t in titles for name in t.genres})
    # Squared, so that a title belongs mostly to one kind
    kinds = np.array([genres[:, [name in kind for name in names]].sum(1) for kind in KINDS.values()]).T ** 2
    studios = indicator(lambda t: t.studios)
    franchises = indicator(lambda t: [t.franchise])
    shares = KIND_SHARE, GENRE_SHARE, STUDIO_SHARE, FRANCHISE_SHARE
    parts = [
        np.sqrt(share) * part / np.linalg.norm(part, axis=1, keepdims=True)
        for share, part in zip(shares, (kinds, genres, studios, franchises))
    ]
    years = np.array([t.year for t in titles])
    # An angle from -75 degrees (1998 and before) to 75 degrees (2022): the length stays 1, and
    # neighbouring years stay near.
    angle = np.radians(75) * np.clip((years - 2010) / 12, -1, 1)
    era = np.sqrt(ERA_SHARE) * np.column_stack([np.cos(angle), np.sin(angle)])
    return np.hstack(parts + [era])


def draw_lists(titles, features, model, count, rng):
    """Draw the lists of `count` members, a float32 array members x titles.

    NaN: not on the list; 0: without a score; else 1 to 10. model: the result of calibrate(). Every member
    has at least one score.
    """
    drawn = int(count * 1.08) + 50
    activity = rng.normal(0, model.activity_deviation, drawn)
    level = rng.normal(0, model.level_deviation, drawn)
    spread = np.exp(rng.normal(0, SPREAD_DEVIATION, drawn))
    habit = rng.normal(0, HABIT_OF_SCORING, drawn)
    all_ten = rng.logistic(size=drawn) + model.all_ten - SHORT_LIST_ALL_TEN * activity > 0
    # einsum and not @: its result does not depend on the number of threads.
    taste = np.einsum('uf,tf->ut', rng.normal(size=(drawn, features.shape[1])), features)
    chance = rng.normal(size=taste.shape)
    liking = np.sqrt(TASTE_IN_LIKING) * taste + np.sqrt(1 - TASTE_IN_LIKING) * chance

    # x + logistic noise > 0 has the probability 1 / (1 + exp(-x))
    noise = rng.logistic(size=taste.shape)
    on_list = np.zeros(taste.shape, dtype=bool)
    for k, t in enumerate(titles):
        if t.after is None:
            on_list[:, k] = model.appeal[k] + activity + TASTE_IN_SEEING * taste[:, k] + noise[:, k] > 0
        else:
            goes_on = model.appeal[k] + activity / 2 + LIKING_IN_SEQUEL * liking[:, t.after] + noise[:, k]
            on_list[:, k] = goes_on > np.where(on_list[:, t.after], 0, START_IN_MIDDLE)
    noise = rng.logistic(size=taste.shape)
    unscored = model.unscored + habit[:, None] - LIKING_IN_SCORING * liking + noise > 0

    opinion = level[:, None] + model.quality + spread[:, None] * liking
    scores = np.searchsorted(model.cuts, opinion.ravel()).reshape(opinion.shape) + 1
    scores[all_ten] = 10
    lists = np.where(on_list, np.where(unscored, 0, scores), np.nan).astype(np.float32)
    some = (lists > 0).any(axis=1)
    if some.sum() < count:
        raise RuntimeError(f'only {some.sum()} of {drawn} members have a score; {count} are needed')
    # calibrate() places the cuts by the opinions of members who do not give 10 to everything
    model.opinions = opinion[some][:count][(lists[some][:count] > 0) & ~all_ten[some][:count, None]]
    return lists[some][:count]


def target_shares(titles):
    """Return the share of members who score each title.

    The first share is MOST_TO_HUNDREDTH times the last, and their sum is SCORED_MEAN. The form,
    exp(-c x^0.42) with x the popularity rank from 0 to 1, fits real lists: there the eleventh title has 0.60
    times the scorers of the first, and the 51st 0.35 times.
    """
    x = np.arange(len(titles)) / (len(titles) - 1)
    curve = np.exp(-np.log(MOST_TO_HUNDREDTH) * x**0.42)
    return curve * SCORED_MEAN / curve.sum()


def figures(lists):
    """Return the figures of an array of lists (members x titles); shares are fractions of 1."""
    scored = lists > 0
    counts, scorers = scored.sum(1), scored.sum(0)
    some = counts > 0
    values = np.where(scored, lists, 0).astype(float)
    member_means = values[some].sum(1) / counts[some]
    return SimpleNamespace(
        quartiles=np.percentile(counts[some], [25, 50, 75]),
        largest=counts.max(),
        mean_count=counts[some].mean(),
        scorers=scorers,
        title_means=values.sum(0) / scorers,
        shares=np.bincount(lists[scored].astype(int), minlength=11)[1:11] / scored.sum(),
        member_mean_deviation=member_means.std(),
        all_ten=(member_means == 10).mean(),
        unscored=(lists == 0).sum() / (~np.isnan(lists)).sum(),
    )


def calibrate(titles, features):
    """Fit the model to the figures of real lists: draw the same members repeatedly, and correct.

    Returns a namespace: appeal and quality (a number for each title), cuts (the nine opinions between the ten
    scores), activity_deviation, level_deviation, unscored and all_ten (logits).
    """

    def logit(p):
        return np.log(p / (1 - p))

    shares, counts = np.array(SCORE_SHARES) / sum(SCORE_SHARES), target_shares(titles)
    means = np.array([t.mean for t in titles])
    # Means are fixed relative to each other; the shares of the scores decide their overall level.
    means = means - (means * counts).sum() / counts.sum() + (shares * np.arange(1, 11)).sum()
    model = SimpleNamespace(
        appeal=logit(counts),
        quality=means - means.mean(),
        cuts=np.linspace(-4, 1, 9),
        activity_deviation=1.5,
        level_deviation=0.7,
        unscored=logit(UNSCORED),
        all_ten=logit(ALL_TEN),
    )
    for _ in range(CALIBRATION_ROUNDS):
        rng = np.random.default_rng([SEED, 1])
        f = figures(draw_lists(titles, features, model, CALIBRATION_MEMBERS, rng))
        reached = np.clip(f.scorers / CALIBRATION_MEMBERS, 1e-4, 1 - 1e-4)
        model.appeal += 0.8 * (logit(counts) - logit(reached))
        model.quality += 0.8 * (means - f.title_means)
        model.quality -= model.quality.mean()
        model.unscored += logit(UNSCORED) - logit(f.unscored)
        model.all_ten += 0.8 * (logit(ALL_TEN) - logit(max(f.all_ten, 1e-3)))
        model.level_deviation *= MEMBER_MEAN_DEVIATION / f.member_mean_deviation
        lower, _, upper = f.quartiles
        model.activity_deviation *= (
            np.log(SCORED_QUARTILES[2] / SCORED_QUARTILES[0]) / np.log(upper / lower)
        ) ** 0.5
        # The members who give 10 to everything use up some tens; the others give the remaining scores.
        others = len(model.opinions) / f.scorers.sum()
        below = np.cumsum(shares)[:-1] / others
        model.cuts = np.quantile(model.opinions, np.minimum(below, 1))
    return model


def make_usernames(count):
    """Return `count` usernames of the form [A-Za-z0-9_-]{2,16}, unique without regard to case."""
    rng = random.Random(SEED)

    def invented():
        if rng.random() < 0.6:
            return ''.join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 2, 3, 3, 4))))
        return ''.join(
            rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.choice((1, 2, 2)))
        )

    def written(word):
        upper = word.upper() if len(word) < 5 else word
        return rng.choice((word, word, *[word.capitalize()] * 3, upper))

    names, taken = [], set()
    while len(names) < count:
        parts = [
            invented() if rng.random() < 0.65 else rng.choice(WORDS) for _ in range(rng.choice((1, 1, 2)))
        ]
        name = rng.choice(('', '', '', '', '_', '-')).join(written(part) for part in parts)
        ending = rng.random()
        if ending < 0.25:
            name += str(rng.randrange(100))
        elif ending < 0.35:
            name += str(rng.randrange(1980, 2013))
        elif ending < 0.40:
            name += str(rng.randrange(100, 10000))
        elif ending < 0.44:
            name += rng.choice(('_', '-', 'x', 'X', '-san', '-kun', '-chan', '_'))
        elif ending < 0.46:
            name = rng.choice(('x', 'The', 'Mr', 'its', '_')) + name
        if re.fullmatch('[A-Za-z0-9_-]{2,16}', name) and name.lower() not in taken:
            taken.add(name.lower())
            names.append(name)
    return names


def make_lists(titles, usernames, members):
    """Return the DataFrame of the pickle for the first `members`, a multiple of BLOCK."""
    features = title_features(titles)
    model = calibrate(titles, features)
    # One generator a block, so that the first rows do not depend on how many members are drawn
    blocks = [
        draw_lists(titles, features, model, BLOCK, np.random.default_rng([SEED, 2, block]))
        for block in range(members // BLOCK)
    ]
    # Members whose lists are public, in the order of users-long.txt
    found = sorted(random.Random(SEED + 1).sample(range(len(usernames)), MEMBERS))[:members]
    return pd.DataFrame(
        np.concatenate(blocks),
        index=pd.Index([usernames[k] for k in found], dtype=object),
        columns=pd.Index([t.mal_id for t in titles], dtype='int64'),
    )


def print_figures(lists):
    """Print the figures of real lists and of these side by side."""
    f = figures(lists)
    rows = [
        ('titles scored, lower quartile', SCORED_QUARTILES[0], f'{f.quartiles[0]:.0f}'),
        ('titles scored, median', SCORED_QUARTILES[1], f'{f.quartiles[1]:.0f}'),
        ('titles scored, upper quartile', SCORED_QUARTILES[2], f'{f.quartiles[2]:.0f}'),
        ('titles scored, largest', 99, f'{f.largest}'),
        ('scorers, first / hundredth title', MOST_TO_HUNDREDTH, f'{f.scorers[0] / f.scorers[-1]:.2f}'),
    ]
    rows += [
        (f'scores that are {score}, %', share, f'{100 * got:.2f}')
        for score, (share, got) in enumerate(zip(SCORE_SHARES, f.shares), 1)
    ]
    rows += [
        ("standard deviation of members' means", MEMBER_MEAN_DEVIATION, f'{f.member_mean_deviation:.2f}'),
        ('members who score everything 10, %', 100 * ALL_TEN, f'{100 * f.all_ten:.1f}'),
        ('entries without a score, %', 100 * UNSCORED, f'{100 * f.unscored:.1f}'),
    ]
    print(f'    {"":38}{"real":>6}{"here":>8}')
    for name, target, reached in rows:
        print(f'    {name:38}{target:>6}{reached:>8}')


def main(arguments):
    """Write all files into the folder that the arguments name."""
    if len(arguments) > 1:
        raise files.UsageError('give at most one argument: the folder to write into.')
    folder = Path(arguments[0]) if arguments else TITLES.parent
    names = 'animelist.txt', 'animes.json', 'dataframe.pkl.gz', 'users-long.txt', 'users-short.txt'
    with files.whole_files(*(folder / name for name in names)) as opened:
        titles = read_titles()
        usernames = make_usernames(USERS_LONG)
        lists = make_lists(titles, usernames, MEMBERS)
        contents = (
            ''.join(f'{title.mal_id}\n' for title in titles).encode(),
            (json.dumps(api_nodes(titles), ensure_ascii=False, indent=1) + '\n').encode(),
            # mtime=0: pandas would write the time of day into the file
            gzip.compress(pickle.dumps(lists, protocol=4), compresslevel=9, mtime=0),
            ''.join(f'{name}\n' for name in usernames).encode(),
            ''.join(f'{name}\n' for name in usernames[:USERS_SHORT]).encode(),
        )
        for file, content in zip(opened, contents):
            file.write(content)
    print_figures(lists.to_numpy())


if __name__ == '__main__':
    files.start_script()
    files.end_imports()
    main(sys.argv[1:])
