"""Shared by all tests: the project's root, and the marker that keeps the quick part quick."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def pytest_configure(config):
    config.addinivalue_line('filterwarnings', 'ignore::DeprecationWarning:mxnet')
    config.addinivalue_line('markers', 'slow: takes more than ten seconds; the quick part is -m "not slow"')
