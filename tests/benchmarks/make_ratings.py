#!/usr/bin/env python3
"""Write a ratings file of invented members, as large as the public ones, for the benchmarks.

    python3 tests/benchmarks/make_ratings.py ratings.csv --users 300000 --titles 17000 --mean-length 363

Popularity and list lengths follow real lists: titles are seen in proportion to (r + 100)^-0.6 e^(-r/2500), r
their rank, and a list's length is lognormal with sigma 1.1. Each title has one of forty kinds; a member sees
titles of two of them more often and scores them higher. Three in ten rows have no score (-1). A .csv file has
the columns user_id, anime_id, rating; a .json file is ANIME_DATA for the same titles.
"""

import argparse
import json

import numpy as np
import polars as pl

KINDS, FAVOURITES = 40, 2
FAVOURITE_WEIGHT = 5  # how much more often a title of a favourite kind is seen
USERS_PER_BLOCK = 5000


def title_kinds(n_titles, random):
    """Return each title's kind, its popularity (sum 1) and its mean score."""
    rank = np.arange(n_titles)
    popularity = (rank + 100) ** -0.6 * np.exp(-rank / 2500)
    kinds = random.permutation(n_titles) % KINDS
    means = np.clip(random.normal(7.2, 0.7, n_titles) - rank / n_titles, 3, 9)
    return kinds, popularity / popularity.sum(), means


def draw_block(users, length, kinds, popularity, means, random):
    """Return user, title and score of all rows of some users."""
    lengths = np.minimum(
        random.lognormal(np.log(length) - 1.1**2 / 2, 1.1, len(users)).astype(int) + 1, len(kinds) // 4
    )
    user = np.repeat(users, lengths)
    favourites = random.integers(0, KINDS, (len(users), FAVOURITES))
    share = sum(popularity[kinds == kind].sum() for kind in range(FAVOURITES))
    in_favourite = random.random(len(user)) < share * FAVOURITE_WEIGHT
    title = random.choice(len(kinds), len(user), p=popularity)
    wanted = np.repeat(favourites[:, 0], lengths)
    second = random.random(len(user)) < 0.5
    wanted[second] = np.repeat(favourites[:, 1], lengths)[second]
    for kind in range(KINDS):
        members = np.flatnonzero(kinds == kind)
        rows = np.flatnonzero(in_favourite & (wanted == kind))
        title[rows] = random.choice(members, len(rows), p=popularity[members] / popularity[members].sum())
    first = np.unique(user.astype(np.int64) * len(kinds) + title, return_index=True)[1]
    user, title, wanted = user[first], title[first], wanted[first]
    score = np.round(means[title] + random.normal(0, 1.3, len(title)) + (kinds[title] == wanted))
    score = np.where(random.random(len(score)) < 0.3, -1, np.clip(score, 1, 10)).astype(int)
    return user, title, score


def main():
    """Write the file."""
    ask = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ask.add_argument('path')
    ask.add_argument('--users', type=int, default=100_000)
    ask.add_argument('--titles', type=int, default=3000)
    ask.add_argument('--mean-length', type=float, default=300)
    ask.add_argument('--seed', type=int, default=1)
    options = ask.parse_args()
    random = np.random.default_rng(options.seed)
    kinds, popularity, means = title_kinds(options.titles, random)
    if options.path.endswith('.json'):
        nodes = {
            str(k + 1): {'title': f'Title {k + 1}', 'mean': round(means[k], 2), 'popularity': k + 1,
                         'genres': [{'name': f'Kind {kinds[k] + 1}'}]}
            for k in range(options.titles)
        }  # fmt: skip
        with open(options.path, 'w') as file:
            json.dump(nodes, file)
        return
    rows = 0
    with open(options.path, 'wb') as file:
        file.write(b'user_id,anime_id,rating\n')
        for start in range(0, options.users, USERS_PER_BLOCK):
            users = np.arange(start, min(start + USERS_PER_BLOCK, options.users))
            user, title, score = draw_block(users, options.mean_length, kinds, popularity, means, random)
            pl.DataFrame([user, title + 1, score]).write_csv(file, include_header=False)
            rows += len(user)
    print(f'{options.path}: {rows:,} rows of {options.users:,} users and {options.titles:,} titles')


if __name__ == '__main__':
    main()
