"""Row blocks on threads: how many, that a fork starts afresh, and that Ctrl-C leaves no thread with freed memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from descend.kernel import threads
from descend.kernel.threads import MOST, WORTH, run_parts


@pytest.mark.parametrize("written", ["1", "2", "17", "0003", " 4 ", str(MOST)])
def test_the_variable_of_the_environment(written, monkeypatch):
    monkeypatch.setenv("DESCEND_THREADS", written)
    assert threads.threads() == int(written)


@pytest.mark.parametrize(
    "written", ["", "0", "-1", "two", "1.5", "1025", "10245", "99999999999999999999", "²", "٣", "1_0"]
)
def test_what_is_no_number_of_threads_is_left_alone(written, monkeypatch):
    monkeypatch.setenv("DESCEND_THREADS", written)
    found = threads.threads()
    monkeypatch.delenv("DESCEND_THREADS")
    assert found == threads.threads() >= 1


def test_the_processors_of_this_process(monkeypatch):
    monkeypatch.delenv("DESCEND_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert threads.threads() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert threads.threads() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads.threads() == 1


@pytest.mark.parametrize(
    ("written", "count"), [("1", 1), ("3,2,1", 3), (" 2 ", 2), ("64", 5), ("", 5), ("0", 5), ("all", 5), ("-2", 5)]
)
def test_no_more_than_others_allow(written, count, monkeypatch):
    monkeypatch.delenv("DESCEND_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", written)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(5)), raising=False)
    assert threads.threads() == count
    monkeypatch.setenv("DESCEND_THREADS", "7")
    assert threads.threads() == 7


@pytest.mark.parametrize("count", ["1", "2", "3", "8"])
@pytest.mark.parametrize(("blocks", "largest"), [(0, 5), (1, 5), (7, 100), (16, 1), (100, 7), (101, 1000)])
@pytest.mark.parametrize("work", [0, WORTH])
def test_every_block_once(count, blocks, largest, work, monkeypatch):
    monkeypatch.setenv("DESCEND_THREADS", count)
    seen = []
    lock = threading.Lock()

    def part(first, last):
        assert 0 < last - first <= largest
        with lock:
            seen.extend(range(first, last))

    run_parts(part, blocks, largest, work)
    assert sorted(seen) == list(range(blocks))


def at_once(count, work, monkeypatch):
    """How many parts were at work at the same time, at most."""
    monkeypatch.setenv("DESCEND_THREADS", count)
    lock = threading.Lock()
    running, most = 0, 0

    def part(first, last):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1

    run_parts(part, 64, 4, work)
    return most


def test_threads_are_used_where_it_pays(monkeypatch):
    assert at_once("2", WORTH - 1, monkeypatch) == 1
    assert at_once("1", WORTH, monkeypatch) == 1
    assert at_once("4", WORTH, monkeypatch) in {2, 3, 4}
    assert at_once("2", WORTH, monkeypatch) == 2  # though there is a larger pool


@pytest.mark.parametrize("worker", [False, True])
def test_an_error_in_a_part_is_raised(worker, monkeypatch):
    monkeypatch.setenv("DESCEND_THREADS", "2")

    ended = []

    def part(first, last):
        if (threading.current_thread() is not threading.main_thread()) is worker:
            raise OSError("no memory")
        time.sleep(0.005)
        ended.append(first)

    with pytest.raises(OSError, match="no memory"):
        run_parts(part, 64, 1, WORTH)
    assert len(ended) < 10  # the others end their part, and begin no other
    here = list(ended)
    time.sleep(0.02)
    assert ended == here
    assert at_once("2", WORTH, monkeypatch) == 2  # the pool still works


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals")
class TestInterrupt:
    @pytest.fixture(autouse=True)
    def handler(self):
        def raise_it(number, frame):
            raise KeyboardInterrupt

        old = signal.signal(signal.SIGALRM, raise_it)
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)

    @pytest.mark.parametrize("count", ["1", "2"])
    def test_between_two_parts(self, count, monkeypatch):
        monkeypatch.setenv("DESCEND_THREADS", count)
        done = []
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            run_parts(lambda first, last: (time.sleep(0.01), done.append(first)), 10_000, 1, WORTH)
        assert 0 < len(done) < 200

    def test_while_waiting_for_another_thread(self, monkeypatch):
        """The call ends though the other thread is still at work; it goes on with what its `part` owns."""
        monkeypatch.setenv("DESCEND_THREADS", "2")
        finished = threading.Event()

        def part(first, last):
            if threading.current_thread() is not threading.main_thread():
                time.sleep(0.5)
                finished.set()
            else:
                time.sleep(0.005)

        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            run_parts(part, 4, 2, WORTH)
        assert not finished.is_set()
        assert finished.wait(5)


FORK = """
    import os, sys, threading
    import numpy as np
    from descend.expression.parse import parse
    from descend.kernel import threads
    from descend.kernel.program import lower
    from descend.kernel.rows import RowsKernel

    os.environ["DESCEND_THREADS"] = "3"
    tape, root = parse("sin(a*x) + exp(-x^2)")
    kernel = RowsKernel(lower(tape, [root], ("a", "x")), 1)
    column = np.linspace(-1, 1, 200_000)
    right = kernel([2.0], [column])
    before = threads._pool.executor
    assert before is not None
    child = os.fork()
    if child == 0:
        same = kernel([2.0], [column]) == right and threads._pool.executor is not before
        grandchild = os.fork()
        if grandchild == 0:
            os._exit(0 if kernel([2.0], [column]) == right else 3)
        same = same and os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) == 0
        sys.exit(0 if same else 4)  # the ordinary way out, which joins the threads of pools
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert kernel([2.0], [column]) == right and threads._pool.executor is before
    sys.exit(code)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_starts_its_own_threads():
    run = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(FORK)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_several_callers_at_once(monkeypatch):
    monkeypatch.setenv("DESCEND_THREADS", "3")
    totals = {}

    def caller(number):
        cells = [0] * 64

        def part(first, last):
            for block in range(first, last):
                cells[block] += number + block

        for _ in range(20):
            run_parts(part, 64, 5, WORTH)
        totals[number] = cells

    callers = [threading.Thread(target=caller, args=(n,)) for n in range(6)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert totals == {n: [20 * (n + b) for b in range(64)] for n in range(6)}


def test_a_call_inside_a_part_stays_in_its_thread(monkeypatch):
    """Every thread of the pool waiting for the pool would wait for ever."""
    monkeypatch.setenv("DESCEND_THREADS", "3")
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    seen = []

    def part(first, last):
        around = threading.get_ident()
        run_parts(lambda a, b: (time.sleep(0.001), seen.append((around, threading.get_ident()))), 12, 1, WORTH)

    def worker_part(first, last):
        if threading.current_thread() is not threading.main_thread():
            part(first, last)
        else:
            time.sleep(0.002)

    run_parts(worker_part, 24, 1, WORTH)
    assert seen
    assert all(around == inner for around, inner in seen)


def test_many_callers_make_one_pool(monkeypatch):
    monkeypatch.setenv("DESCEND_THREADS", "2")
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    made = []

    class Slow(ThreadPoolExecutor):
        def __init__(self, *args, **more):
            made.append(self)
            time.sleep(0.02)
            super().__init__(*args, **more)

    monkeypatch.setattr("concurrent.futures.ThreadPoolExecutor", Slow)
    callers = [threading.Thread(target=run_parts, args=(lambda a, b: None, 8, 1, WORTH)) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(made) == 1


def test_a_thread_that_never_began_is_not_waited_for(monkeypatch):
    """The pool may be busy with other callers; whoever has done all pieces himself is done."""
    monkeypatch.setenv("DESCEND_THREADS", "2")
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    busy = threading.Event()
    threads._pool.workers(1).submit(busy.wait, 30)
    done = []
    try:
        run_parts(lambda first, last: done.extend(range(first, last)), 16, 1, WORTH)
        assert done == list(range(16))
        assert not busy.is_set()
    finally:
        busy.set()


class TestNoThreadToBeHad:
    """Then the calling thread does all the work."""

    def test_at_a_limit(self, monkeypatch):
        monkeypatch.setenv("DESCEND_THREADS", "3")
        threads._pool.forget()

        def refuse(*_):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr("threading.Thread.start", refuse)
        done = []
        try:
            threads.run_parts(lambda first, last: done.extend(range(first, last)), 100, 7, 10**9)
        finally:
            threads._pool.forget()
        assert done == list(range(100))

    @pytest.mark.parametrize(
        "late", ["atexit.register(work)", "threading.Thread(target=lambda: (time.sleep(0.2), work())).start()"]
    )
    def test_when_the_process_ends(self, late):
        script = f"""
import atexit, threading, time
import numpy as np
import descend
x = np.linspace(0, 1, 2_000_000)
def work():
    fun = descend.compile("y = a*x", {{"x": x, "y": 2*x}})
    print(fun([2.0]))
def later():
    time.sleep(0.2)
    work()
{late}
"""
        environment = os.environ | {"DESCEND_THREADS": "2"}
        found = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
        )
        assert found.stdout == "0.0\n"
        assert not found.stderr
