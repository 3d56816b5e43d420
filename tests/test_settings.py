"""aniembed/settings.py: globals from NAME=value, and what is said of wrong ones."""

import math
import os

import pytest

from aniembed import settings
from aniembed.files import UsageError

RULES = {
    'RATE': settings.number(0.5, 10),
    'SIZE': settings.number(0),
    'COUNT': settings.whole(1),
    'FOLDER': settings.path(),
    'COVERS': settings.path(may_be_empty=True),
    'DEVICE': settings.choice('cpu', 'gpu'),
    'HIDDEN': settings.choice(True, False),
}
GOOD = dict(zip(RULES, [2.0, 0.0, 3, 'out', 'c', 'cpu', False]))


def test_arguments_set_globals_of_the_right_type(capsys):
    one, other = dict(GOOD), {'COUNT': 7, 'RATE': 1}
    arguments = ['RATE=3', 'SIZE=9', 'COUNT=12', 'FOLDER=~/a=b', 'COVERS=', 'DEVICE=gpu', 'HIDDEN=True']
    settings.apply(arguments, (one, RULES), (other, {'COUNT': settings.whole(1)}))
    folder = os.path.expanduser('~/a=b')
    assert repr([*one.values()]) == repr([3.0, 9.0, 12, folder, '', 'gpu', True])
    assert other == {'COUNT': 12, 'RATE': 1}
    assert capsys.readouterr().out.splitlines()[2] == "COUNT = '12'"


# argument -> words of the sentence
WRONG = {
    'COUNTS=3': 'did you mean COUNT=',
    'COUNT': 'did you mean COUNT=',
    'nothing=3': 'the globals are RATE, SIZE, COUNT',
    'COUNT=0': 'a whole number of 1 or more',
    'COUNT=2.5': 'a whole number',
    'RATE=nan': 'a number from 0.5 to 10',
    'FOLDER=': 'in quotes',
    'DEVICE=tpu': "'cpu' or 'gpu'",
    'HIDDEN=yes': 'True or False',
}


@pytest.mark.parametrize('argument', WRONG)
def test_a_wrong_argument_is_named(argument):
    with pytest.raises(UsageError, match=WRONG[argument]):
        settings.apply([argument], (dict(GOOD), RULES))


@pytest.mark.parametrize('name, value', [('COUNT', True), ('RATE', True), ('SIZE', math.inf), ('FOLDER', 3)])
def test_a_wrong_value_in_the_head_is_named(name, value):
    with pytest.raises(UsageError, match=f'^{name} is {value!r}; it must be '):
        settings.check({**GOOD, name: value}, RULES)
