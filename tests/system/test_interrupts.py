"""Signals that end a program: what is printed at its end never blocks."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, select, signal, threading
from kpviewer.system.interrupts import Interrupted, interrupts_raised

def interrupt():
    while select.select([], [1], [], 0)[1]:
        pass
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
try:
    with interrupts_raised():
        while True:
            print("progress" * 100, flush=True)
except Interrupted as interrupt:
    print("the end" * 100_000, flush=True)
    raise SystemExit(interrupt.exit_code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_pipe_that_nobody_reads_does_not_keep_a_program_from_its_end():
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as child:
        try:
            assert child.wait(timeout=60) == 130
        finally:
            child.kill()
