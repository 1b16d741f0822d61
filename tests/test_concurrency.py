"""What is done at a time, in threads or in none, is begun in order and gives what it gave."""

import os
import threading

import pytest

from imaging.concurrency import at_a_time, cores


@pytest.fixture(params=[1, 2, 4])
def pool(request):
    with at_a_time(request.param) as made:
        yield made


def test_a_task_may_wait_for_the_one_before(pool):
    chain = [pool.submit(int, 0)]
    for _ in range(20):
        chain.append(pool.submit(lambda before: before.result() + 1, chain[-1]))
    assert [each.result() for each in chain] == list(range(21))


def test_what_a_task_raises_is_raised_by_its_future_alone(pool):
    broken, whole = pool.submit(int, "no number"), pool.submit(int, "7")
    with pytest.raises(ValueError, match="no number"):
        broken.result()
    assert whole.result() == 7


def test_one_at_a_time_takes_no_thread():
    with at_a_time(1) as pool:
        assert pool.submit(threading.get_ident).result() == threading.get_ident()


def test_what_has_not_begun_when_the_pool_is_left_is_dropped():
    begun, go_on = threading.Event(), threading.Event()
    with at_a_time(2) as pool:
        running = [pool.submit(lambda: begun.set() or go_on.wait(10)) for _ in range(2)]
        waiting = pool.submit(int, 1)
        begun.wait(10)
        pool.shutdown(wait=False, cancel_futures=True)
        assert waiting.cancelled()
        go_on.set()
    assert all(each.result() for each in running)


def test_cores_are_those_that_the_process_may_use():
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)
