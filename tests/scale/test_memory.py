"""What a worker freed goes back to the system."""

import subprocess
import sys

import pytest

from geodata.scale import memory

FREED = """
import numpy as np
from geodata.scale.memory import given_back


def own():
    line = next(x for x in open("/proc/self/status") if x.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


def work():
    held = [np.ones(5000) for _ in range(4000)]  # 160 MB in pieces of 40 kB
    pins = held[::100]
    del held[:]
    return pins


if {tidied}:
    with given_back():
        pins = work()
else:
    pins = work()
print(own())
"""


def own(*, tidied):
    code = FREED.replace("{tidied}", str(tidied))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(memory._glibc() is None, reason="the C library is not glibc")
def test_what_was_freed_is_given_back():
    assert own(tidied=True) < own(tidied=False) - 50


def test_errors_pass():
    with pytest.raises(KeyError), memory.given_back():
        raise KeyError


@pytest.mark.parametrize("library", [None, "libm.so.6"])
def test_another_c_library(monkeypatch, library):
    class Other:
        def __init__(self, name):
            if library is None:
                raise OSError

    memory._glibc.cache_clear()
    monkeypatch.setattr(memory.ctypes, "CDLL", Other)
    with memory.given_back():
        assert memory._glibc() is None
    memory._glibc.cache_clear()


def test_glibc_is_told_its_threshold_once_and_trimmed_after_each_task(monkeypatch):
    asked = []

    class Glibc:
        def __init__(self, name):
            assert name is None  # the library that this process runs on

        def mallopt(self, option, value):
            asked.append(("mallopt", option, value))

        def malloc_trim(self, kept):
            asked.append(("malloc_trim", kept))

    memory._glibc.cache_clear()
    monkeypatch.setattr(memory.ctypes, "CDLL", Glibc)
    for _ in range(2):
        with memory.given_back():
            asked.append("work")
    memory._glibc.cache_clear()
    # M_MMAP_THRESHOLD of malloc.h is -3
    assert asked == [
        ("mallopt", -3, 16 * 1024**2), "work", ("malloc_trim", 0), "work", ("malloc_trim", 0)
    ]  # fmt: skip
