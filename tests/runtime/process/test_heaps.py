"""Threads share two heaps, where the C library has more."""

import subprocess
import sys

import pytest

from kpviewer.runtime.process import garbage

CHILD = """
import ctypes, sys, threading
from kpviewer.runtime.process.garbage import share_heaps
if sys.argv[2:]:
    share_heaps()
barrier = threading.Barrier(6)
def work():
    barrier.wait()
    kept = [bytes(1000) for _ in range(1000)]
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
[each.start() for each in threads]
[each.join() for each in threads]
library = ctypes.CDLL(None)
library.fopen.restype, library.fclose.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
file = library.fopen(sys.argv[1].encode(), b"w")
library.malloc_info(0, file)
library.fclose(file)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="heaps are glibc's")
def test_threads_share_two_heaps(tmp_path):
    counts = []
    for arguments in ([], ["share"]):
        report = tmp_path / "report.xml"
        subprocess.run([sys.executable, "-c", CHILD, report, *arguments], check=True)
        counts.append(report.read_text().count("<heap nr"))
    assert counts[0] > 2
    assert counts[1] == 2


def test_another_c_library_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(garbage.ctypes, "CDLL", lambda _name: object())
    garbage.share_heaps()
