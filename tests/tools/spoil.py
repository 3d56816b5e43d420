"""Pack and spoil files, and read them where a reader that hangs, crashes or takes all memory is found out."""

import io
import multiprocessing
import os
import random
import resource
import signal
import traceback
import warnings
import zipfile

import pytest

GIGABYTE = 1 << 30
SECONDS = 20  # of a processor that one file may take


def zipped(content):
    """Return the bytes of a zip archive with a folder and one file."""
    with zipfile.ZipFile(packed := io.BytesIO(), 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('folder/', b'')
        archive.writestr('folder/file', content)
    return packed.getvalue()


def spoiled(content, count, tokens, seed):
    """Yield `count` variants of some bytes: pieces changed, cut, moved, or a token in their place."""
    source = random.Random(seed)
    for _ in range(count):
        data = bytearray(content)
        for _ in range(source.choice((1, 1, 1, 2, 5))):
            start = source.randrange(len(data) + 1)
            end = min(len(data), start + source.choice((0, 1, 1, 4, 40)))
            noise, moved = source.randbytes(source.choice((1, 1, 2, 8))), bytes(data[end : end + 30])
            data[start:end] = source.choice((noise, moved, source.choice(tokens)))
            if source.random() < 0.05:
                del data[source.randrange(len(data) + 1) :]
        yield bytes(data)


def in_a_child(function, seconds=600):
    """Return what the function returns in a forked process that may take one gigabyte more memory."""
    receiver, sender = multiprocessing.Pipe(False)

    def child():
        try:
            with open('/proc/self/statm') as statm:
                size = int(statm.read().split()[0]) * resource.getpagesize() + GIGABYTE
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
            warnings.simplefilter('error')
            sender.send((True, function()))
        except BaseException:
            sender.send((False, traceback.format_exc()))
        os._exit(0)

    process = multiprocessing.get_context('fork').Process(target=child)
    process.start()
    sender.close()
    try:
        assert receiver.poll(seconds), 'it hangs'
        good, result = receiver.recv()
    except EOFError:
        process.join()
        pytest.fail(f'the process ended with {process.exitcode}')
    finally:
        process.kill()
        process.join()
    assert good, result[-3000:]
    return result


def outcomes(read, contents, error):
    """Return how many of the contents `read` takes, and how many end in `error` with a short sentence.

    Anything else, and a content that takes long, is a failure of the test.
    """

    def strike(*_):
        raise AssertionError(f'a file took more than {SECONDS} seconds')

    def read_all():
        signal.signal(signal.SIGPROF, strike)
        ends = {'read': 0, 'refused': 0}
        for number, content in enumerate(contents):
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                read(content)
                ends['read'] += 1
            except error as sentence:
                assert str(sentence).isprintable() and 10 < len(str(sentence)) < 1200, sentence
                ends['refused'] += 1
            except BaseException as failure:
                raise AssertionError(f'file {number}, {content[:300]!r}') from failure
            signal.setitimer(signal.ITIMER_PROF, 0)
        return ends

    return in_a_child(read_all)
