"""aniembed/settings.py: values from a script's head or from NAME=value, and messages for wrong ones."""

import math
import os

import pytest

from aniembed import settings
from aniembed.files import UsageError

RATE, SIZE, COUNT, FOLDER, COVERS, DEVICE, HIDDEN = 2.0, 0.0, 3, 'out', 'c', 'cpu', False
TABLE, SITE, KINDS = 't.pkl', 'https://a.example', ['tv']
RULES = {
    'RATE': settings.number(0.5, 10),
    'SIZE': settings.number(0),
    'COUNT': settings.whole(1),
    'FOLDER': settings.path(),
    'COVERS': settings.path(may_be_empty=True),
    'DEVICE': settings.choice('cpu', 'gpu'),
    'HIDDEN': settings.choice(True, False),
    'TABLE': settings.path(endings=('.pkl', '.pkl.gz')),
    'SITE': settings.address(),
    'KINDS': settings.several('tv', 'movie'),
}
HEAD = settings.head(globals(), **RULES)


def test_settings_are_of_the_head_or_of_arguments_and_of_the_right_type(capsys):
    assert settings.read([], HEAD) == {name: globals()[name] for name in RULES}
    arguments = ['RATE=3', 'SIZE=9', 'COUNT=12', 'FOLDER=~/a=b', 'COVERS=', 'DEVICE=gpu', 'HIDDEN=True']
    arguments += ['TABLE=x.pkl.gz', 'SITE=http://[::1]:80/v2/', 'KINDS=movie, tv,']
    expected = [3.0, 9.0, 12, os.path.expanduser('~/a=b'), '', 'gpu', True]
    expected += ['x.pkl.gz', 'http://[::1]:80/v2', ['movie', 'tv']]
    assert repr([*settings.read(arguments, HEAD).values()]) == repr(expected)
    assert capsys.readouterr().out.splitlines()[2] == 'COUNT = 12'


# argument -> words of the sentence
WRONG = {
    'COUNTS=3': "^unknown setting 'COUNTS'; did you mean COUNT.$",
    '--count=3': "^unknown setting '--count'; did you mean COUNT.$",
    'COUNT': 'write COUNT=value',
    'nothing=3': 'the settings are RATE, SIZE, COUNT',
    'COUNT=0': 'a whole number of 1 or more',
    'COUNT=2.5': 'a whole number',
    'RATE=nan': 'a number from 0.5 to 10',
    'FOLDER=': 'in quotes',
    'DEVICE=tpu': "'cpu' or 'gpu'",
    'HIDDEN=yes': 'True or False',
    'TABLE=x.csv': 'in quotes, that ends in .pkl, .pkl.gz',
    **dict.fromkeys(('SITE=ftp://a', 'SITE=http://', 'SITE=http://a:x', 'SITE=http://[a'), 'an address with'),
    'KINDS=tv,film': 'some of tv, movie, with commas',
}


@pytest.mark.parametrize('argument', WRONG)
def test_a_wrong_argument_is_named(argument):
    with pytest.raises(UsageError, match=WRONG[argument]):
        settings.read([argument], HEAD)


@pytest.mark.parametrize('name, value', [('COUNT', True), ('RATE', True), ('SIZE', math.inf), ('FOLDER', 3)])
def test_a_wrong_value_in_the_head_is_named(name, value):
    with pytest.raises(UsageError, match=f'^{name} is {value!r}; it must be '):
        settings.check({**globals(), name: value}, RULES)
