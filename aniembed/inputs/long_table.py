"""Read long tables of ratings, one row a rating, as the public data sets have them: CSV, TSV or Parquet.

polars reads them: in a third of the time of pandas in chunks, and whatever numpy is installed.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix, csr_matrix

from aniembed.files import RunError, one_line
from aniembed.inputs import columns, scales, table_text

USERS_PER_BLOCK = 4096  # large enough for a fast matrix product, small beside the table
USUAL_ID = 1 << 20  # MAL ids up to which every number has a column, whether a title has it or not
NUMBERED = ('userid', 'uid')  # normal names of columns in which users may be numbers; elsewhere 007 is not 7
AROUND = ' \t\r"'  # what may stand around a name or a number; quotes, where they are read as text
SAMPLE = 1 << 20  # bytes from the beginning that tell what the columns hold
FEWEST_REPEATS = 30  # rows of titles that were there before; with fewer, equal scores of a title are chance
NO_SCORE = -1  # on the list without a score, as 0 is


def read_lists(paths):
    """Return the lists of some files as a LongTable; RunError if they are no ratings. Print what was read."""
    return LongTable(paths)


def read_user(paths, ids, username):
    """Return one user's list as a dict MAL id -> score, 0 where there is none; None without the user."""
    users, starts, titles, scores, _ = _read_rows_by_user(paths)
    number = users.cast(pl.String).str.to_lowercase().index_of(username.strip().lower().removesuffix('.0'))
    if number is None:
        return None
    rows, known = slice(starts[number], starts[number + 1]), set(ids)
    scores = zip(titles[rows].tolist(), scores[rows].tolist())
    return {mal_id: float(max(score, 0)) for mal_id, score in scores if mal_id in known}


class LongTable:
    """The lists of some files, in memory as blocks of users x titles.

    A block is a csc_matrix of the scores 1 to 10 with one more column, which is empty: in this form a title's
    scores are counted, and titles are selected, without a look at single scores.
    """

    def __init__(self, paths):
        users, starts, titles, scores, report = _read_rows_by_user(paths)
        rows, scored = len(scores), np.count_nonzero(scores > 0)
        self.name, self._compared = report.partition(' read as: ')[0], False
        if not scored:
            raise RunError(f'{self.name} holds no scores.')
        report += f'; {len(users):,} users, {scored:,} scores'
        print(report + (f', {rows - scored:,} without' if rows > scored else ''), flush=True)
        largest = int(titles.max(initial=0))
        if largest < USUAL_ID:
            self.titles = np.arange(largest + 1)
        else:
            self.titles, titles = np.unique(titles, return_inverse=True)
            titles = titles.astype(np.int32)

        def block(first):
            begin = starts[first : first + USERS_PER_BLOCK + 1]
            rows = slice(begin[0], begin[-1])
            shape = len(begin) - 1, len(self.titles) + 1
            entries = csr_matrix((scores[rows], titles[rows], (begin - begin[0]).astype(np.int32)), shape)
            return _last_scores(entries)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self._blocks = list(pool.map(block, range(0, len(starts) - 1, USERS_PER_BLOCK)))
        counts = (np.diff(block.indptr)[:-1] for block in self._blocks)
        self.counts = sum(counts, np.zeros(len(self.titles), int))

    def most_scored(self, known, number):
        """Return the `number` titles with the most scores among the ids `known`, most first."""
        self._compare_ids(known)
        counts = dict(zip(self.titles.tolist(), self.counts.tolist()))
        scored = [mal_id for mal_id in set(known) if counts.get(mal_id)]
        return sorted(scored, key=lambda mal_id: (-counts[mal_id], mal_id))[:number]

    def blocks(self, ids, rank=0, workers=1):
        """Yield the lists as csr_matrix user_items, users x the titles `ids`, users in order of appearance.

        Of two rows for one pair the last counts. The worker `rank` of several takes every workers-th block.
        """
        self._compare_ids(ids)
        selection = np.searchsorted(self.titles, ids)
        selection[self.titles[np.minimum(selection, len(self.titles) - 1)] != ids] = len(self.titles)
        for block in self._blocks[rank::workers]:
            selected = block[:, selection].tocsr()
            selected.data = selected.data.astype(np.float32)
            yield selected

    def _compare_ids(self, known):
        """Say so, once, if few of the ids are those of the titles that somebody asks for."""
        if self._compared:
            return
        self._compared = True
        scored = set(self.titles[self.counts > 0].tolist())
        common, least = len(scored.intersection(known)), min(len(scored), len(known))
        if common < least / 2:
            print(
                f'{self.name}: only {common:,} of the {len(scored):,} titles with scores are among the '
                f'{len(known):,} of ANIME_DATA or ANIME_LIST; all ids have to be those of MyAnimeList.'
            )


def _last_scores(entries):
    """Return the last entry of each pair as a csc_matrix, those without a score left out.

    entries: csr_matrix in which a pair may stand several times.
    """
    entries = entries.tocsc()  # keeps the order of what belongs to one pair
    again = entries.indices[1:] == entries.indices[:-1]
    begin = entries.indptr[1:-1]  # of the columns; the entry before is of another one
    again[begin[(begin > 0) & (begin < entries.nnz)] - 1] = False
    entries.data[:-1][again] = 0
    np.maximum(entries.data, 0, out=entries.data)
    entries.eliminate_zeros()
    return entries


# ---- the rows of all files, by user --------------------------------------------------------------------


def _read_rows_by_user(paths):
    """Return the rows of some files by user: users, where each list starts (and the last ends), the rest.

    The rest: titles and scores of all rows, and a line on how the files were read.
    """
    tables, labels, reports = zip(*map(_read_file, paths))
    scale = scales.find_scale([table['score'].to_numpy() for table in tables], paths[0])
    users, *arrays = zip(*(_runs(table, path, scale) for table, path in zip(tables, paths)))
    del tables
    if len({part.dtype for part in users}) > 1:  # numbers in one file, names in another
        users = [part.cast(pl.String) for part in users]
    users = pl.concat(users)
    lengths, titles, scores = (parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in arrays)
    report = labels[0] + (f' and {len(paths) - 1:,} more' if len(paths) > 1 else '')
    report += f' read as: {"; or ".join(dict.fromkeys(reports))}'
    report += f'; {scale.name}' if scale.name else ''
    names = users.unique(maintain_order=True)
    if len(names) == len(users):  # all rows of a user follow each other
        return names, np.concatenate([[0], np.cumsum(lengths)]), titles, scores, report
    numbers = names.to_frame().with_row_index('number')
    numbers = users.to_frame().join(numbers, on='user', how='left', maintain_order='left')['number']
    rows = np.repeat(numbers.to_numpy().astype(np.int32), lengths)
    by_user = coo_matrix((scores, (rows, titles)))
    by_user.has_canonical_format = True  # or the conversion adds up what belongs to one pair
    by_user = by_user.tocsr()
    return names, by_user.indptr, by_user.indices, by_user.data, report


def _runs(table, path, scale):
    """Return (users, lengths, titles, scores) of the rows of a file that are ratings, scores on 1-10.

    The first two: whose rows follow each other, and how many; the others: of all rows.
    """
    right = table['right'] & (table['score'] <= scale.highest)
    if not right.all(ignore_nulls=False):
        _report_wrong(path, right, scale)
        table = table.filter(right)
    users = table['user']
    codes = users.to_physical().to_numpy()
    first = np.concatenate([np.zeros(min(1, len(codes)), int), np.flatnonzero(codes[1:] != codes[:-1]) + 1])
    lengths, users = np.diff(first, append=len(codes)), users.gather(first)
    if not users.dtype.is_integer():
        names = users.unique().cast(pl.String)
        if (names != names.str.strip_chars(AROUND)).any():
            users = users.cast(pl.String).str.strip_chars(AROUND).cast(pl.Categorical)
    return users, lengths, table['title'].to_numpy(), scales.to_ten(table['score'].to_numpy(), scale)


def _report_wrong(path, right, scale):
    """Say how many rows are no ratings; RunError if they are too many."""
    wrong = (~right).fill_null(False)
    if not wrong.any():
        return
    number, first = int(wrong.sum()), int(wrong.arg_true()[0])
    with table_text.plain_file(path, _is_ratings) as (plain, _):
        if _is_parquet(plain):
            row = pl.scan_parquet(plain, glob=False).slice(first, 1).collect().row(0)
            place = f'row {first + 1}: {", ".join(map(repr, row))}'
        else:
            line = table_text.lines_of(plain).slice(first + 1, 1).collect().item()
            place = f'line {first + 2}: {line}'
    sentence = (
        f'{path}: {number:,} of {len(right):,} rows are not a user, a MAL id and a score up to '
        f'{scale.highest} (0, -1 or nothing for none); the first is {one_line(place, 300)}'
    )
    if number > scales.MOST_WRONG * len(right):
        most = round(1 / scales.MOST_WRONG)
        raise RunError(f'{sentence}. Mend the file; more than one row in {most:,} is too many.')
    print(f'{sentence}. They are passed over.')


# ---- one file ------------------------------------------------------------------------------------------


class Source(NamedTuple):
    """An unpacked file, and how to read it."""

    path: str
    separator: str  # '' for Parquet
    quote: str  # or None
    schema: dict  # column -> polars type

    def scan(self, kinds=None):
        """Return the file as a LazyFrame; kinds: types of columns in a text file, the others are texts."""
        if not self.separator:
            return pl.scan_parquet(self.path, glob=False)
        return pl.scan_csv(
            self.path, separator=self.separator, quote_char=self.quote, schema_overrides=kinds, **CSV
        )


CSV = {'encoding': 'utf8-lossy', 'infer_schema': False, 'truncate_ragged_lines': True, 'glob': False}


def _is_ratings(start):
    """Tell whether a file that begins with these bytes may hold ratings."""
    text = start.decode('utf-16' if start[:2] in table_text.UTF16_MARKS else 'utf-8', 'replace')
    header = text.lstrip().partition('\n')[0]
    names = header.split(columns.separator_of(header))
    return start.startswith(b'PAR1') or all(columns.find_columns(names, columns.RATINGS).values())


def _is_parquet(plain):
    with open(plain, 'rb') as file:
        return file.read(4) == b'PAR1'


def _read_file(path, encoding=''):
    """Return a file as a DataFrame with the columns user, title, score and right, its name and its columns.

    user: categorical or an integer; title: integer; score: a number, 0 for none. right: is the row a rating;
    null where it is passed over without a word.
    """
    with table_text.plain_file(path, _is_ratings, encoding) as (plain, member):
        label = f'{path} ({member})' if member else str(path)
        try:
            source, sample = _open(plain)
            chosen, found = _choose_columns(sample, label)
            table, source = _read_quoted(source, chosen, found, label)
            for user in found['user']:  # one that every row has
                if table['user'].null_count() <= table['right'].null_count():
                    break
                if user != chosen['user']:
                    table, chosen = _rows(source, {**chosen, 'user': user}, found), {**chosen, 'user': user}
        except pl.exceptions.PolarsError as error:
            reason = one_line(str(error).partition('\n')[0], 200)
            raise RunError(f'{label} cannot be read as a table: {reason}.') from None
        report = columns.describe(chosen, found)
        if not encoding and source.separator and not table['user'].dtype.is_integer():
            names = table['user'].unique().cast(pl.String)
            if names.str.contains('\ufffd').any() and not table_text.is_utf8(plain):
                table, label, report = _read_file(path, 'cp1252')
                return table, label, f'{report}, in the encoding cp1252'
        if len(found['title']) > 1 and table['right'].null_count():
            report += f'; rows without {chosen["title"]}: {table["right"].null_count():,}'
        return table, label, report


def _open(plain):
    """Return a file as a Source, and its first rows as a DataFrame."""
    if _is_parquet(plain):
        source = Source(plain, '', None, pl.read_parquet_schema(plain))
        simple = [name for name, kind in source.schema.items() if not kind.is_nested()]
        return source, source.scan().select(simple).head(SAMPLE >> 4).collect()
    with open(plain, 'rb') as file:
        start = file.read(SAMPLE)
    header = start.lstrip(b'\r\n').partition(b'\n')[0].decode(errors='replace')
    separator = columns.separator_of(header)
    start = start[: start.rfind(b'\n') + 1] if len(start) == SAMPLE else start
    options = {'separator': separator, **CSV}
    try:
        sample = pl.read_csv(start, **options)
    except pl.exceptions.ComputeError:  # a lone quote
        sample = pl.read_csv(start, quote_char=None, **options)
    return Source(plain, separator, '"', sample.schema), sample


def _choose_columns(sample, label):
    """Return which columns to read, {'user': ..., 'title': ..., 'score': ...}, and all that might do."""
    found = columns.find_columns(sample.columns, columns.RATINGS)
    for what, names in found.items():
        if not names:
            raise RunError(
                f'{label} has no column for the {what} (looked for: {", ".join(columns.RATINGS[what])}); its '
                f'columns are {one_line(", ".join(sample.columns), 300)}. The first line has to name them.'
            )
    numbers = {name: _numbers(sample, name) for name in (*found['title'], *found['score'])}
    title = next((name for name in found['title'] if numbers[name] is not None), found['title'][0])
    scores = [name for name in found['score'] if numbers[name] is not None] or found['score'][:1]
    means = [name for name in scores if _is_mean(numbers[title], numbers[name])]
    score = next((name for name in scores if name not in means), None)
    if score is None:
        raise RunError(
            f'{label}: {" and ".join(means)} has the same value in all rows of a title. That is a mean, no '
            "user's score; take a file with the score of each user."
        )
    return {'user': found['user'][0], 'title': title, 'score': score}, found


def _numbers(sample, name):
    """Return a column of the sample as numbers, None if more than half of its values are none."""
    numbers, bad = _as_number(name, sample.schema[name], '')
    numbers = sample.select(number=numbers, bad=bad)
    return None if numbers['bad'].sum() > numbers['number'].count() else numbers['number']


def _is_mean(titles, scores):
    """Tell whether a title's scores are all the same."""
    if titles is None or scores is None:
        return False
    rows = pl.DataFrame({'title': titles, 'score': scores}).filter(pl.col('score') > 0)
    of_title = rows.group_by('title').agg(number=pl.len(), values=pl.col('score').n_unique())
    return len(rows) - len(of_title) >= FEWEST_REPEATS and of_title['values'].max() == 1


def _read_quoted(source, chosen, found, label):
    """Return _rows() of a Source, and the Source with the quote that gives as many rows as there are."""
    table = error = None
    try:
        table = _rows(source, chosen, found)
    except pl.exceptions.PolarsError as failure:
        error = failure
    if source.separator and table_text.has_quotes(source.path):
        rows = None if table is None else len(table)
        quote = table_text.quote_of(source.path, source.separator, rows, label)
        if quote != source.quote:
            source = source._replace(quote=quote)
            return _rows(source, chosen, found), source
    if error:
        raise error
    return table, source


def _rows(source, chosen, found):
    """Return the rows of a Source as _read_file() does; an error of polars if that fails."""
    forms = [source.schema]
    if source.separator:  # first as numbers, which is fastest; an error of polars says that not all are
        numbered = columns.normal(chosen['user']) in NUMBERED
        whole = pl.Int32 if numbered else pl.Categorical, pl.Int32, pl.Int8
        floats = pl.Float64 if numbered else pl.Categorical, pl.Float64, pl.Float32
        forms = [dict(zip(chosen.values(), kinds)) for kinds in (whole, floats)] + forms
    for form in forms:
        kinds = {what: form[name] for what, name in chosen.items()}
        user = _as_user(chosen['user'], kinds['user'])
        title, bad_title = _as_number(chosen['title'], kinds['title'], source.separator)
        score, bad_score = _as_number(chosen['score'], kinds['score'], source.separator)
        title = _whole(title, kinds['title']).cast(pl.Int32, strict=False)
        score = score if kinds['score'] == pl.Int8 else score.cast(pl.Float32, strict=False)
        bad = bad_title | bad_score
        is_score = ((score >= 0) | (score == NO_SCORE)).fill_null(True)
        right = ~bad & user.is_not_null() & (title > 0).fill_null(False) & is_score
        nothing = title.is_null() & ~bad
        if len(found['title']) == 1:
            nothing &= user.is_null() & score.is_null()  # a blank line
        right = pl.when(~nothing).then(right)
        table = source.scan(form).select(user=user, title=title, score=score.fill_null(0), right=right)
        try:
            return table.collect(engine='streaming')
        except pl.exceptions.PolarsError as error:
            failure = error
    raise failure


def _as_number(name, kind, separator):
    """Return a column as numbers, null where there is none, and whether a cell has something else."""
    column = pl.col(name)
    if kind.is_integer():
        return column, pl.lit(False)
    if kind != pl.String:
        return column.cast(pl.Float64, strict=False).fill_nan(None), pl.lit(False)
    text = column.str.strip_chars(AROUND)
    absent = text.is_null() | text.str.to_lowercase().is_in(list(columns.ABSENT))
    if separator != ',':  # as in 8,5
        text = text.str.replace(',', '.', literal=True)
    number = pl.when(~absent).then(text.cast(pl.Float64, strict=False))
    return number, ~absent & number.is_null()


def _as_user(name, kind):
    column = pl.col(name)
    if kind.is_float():
        return _whole(column, kind).cast(pl.Int64, strict=False)
    if kind.is_integer() or kind == pl.Categorical:
        return column
    text = column.cast(pl.String).str.strip_chars(AROUND).str.replace(r'\.0+$', '')
    return pl.when(text != '').then(text).cast(pl.Categorical)


def _whole(number, kind):
    """Return a column without what is no whole number."""
    return number if kind.is_integer() else pl.when(number == number.floor()).then(number)
