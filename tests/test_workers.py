"""Workers: every task is answered or named lost, whatever becomes of the processes."""

import os
import signal
import time

import pytest

from surveillance.workers import LocalExecutor, WorkerDied, in_workers


def doubled(number):
    if number == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if number == "fail":
        raise ValueError(number)
    return 2 * number


class DiesWhenReceived:
    """A task that kills the process which unpacks it, before any work is done."""

    def __reduce__(self):
        return os._exit, (1,)


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_every_task_is_answered_once_whatever_the_number_of_processes(jobs):
    assert sorted(in_workers(doubled, [3, 1, 2], jobs)) == [(1, 2), (2, 4), (3, 6)]


def test_no_task_needs_no_process():
    assert list(in_workers(doubled, [], 2)) == []


def test_a_process_killed_at_work_costs_its_task_and_the_others_go_on():
    answers = dict(in_workers(doubled, [1, "die", 2, 3], 2))
    assert answers == {1: 2, "die": None, 2: 4, 3: 6}


def test_processes_that_die_before_they_begin_cost_their_tasks():
    tasks = [DiesWhenReceived(), DiesWhenReceived(), 1]
    answers = dict(in_workers(doubled, tasks, 2))
    assert answers == {tasks[0]: None, tasks[1]: None, 1: 2}


def test_a_task_larger_than_a_pipe_holds_is_lost_alone():
    large = bytes(1_000_000)
    answers = in_workers(doubled, [[DiesWhenReceived(), large], large], 1)
    assert [answer is None for _, answer in answers] == [True, False]


def test_what_the_function_raises_comes_back_with_where_it_was_raised():
    with pytest.raises(ValueError, match="fail") as caught:
        list(in_workers(doubled, ["fail", 1], 2))
    assert "in doubled" in "".join(caught.value.__notes__)


def test_an_executor_answers_in_another_process_and_its_death_costs_one_task():
    with LocalExecutor(1) as executor:
        died = executor.submit(doubled, "die")
        failed = executor.submit(doubled, "fail")
        assert executor.submit(doubled, 21).result() == 42
        assert executor.submit(os.getpid).result() != os.getpid()
        with pytest.raises(WorkerDied):
            died.result()
        with pytest.raises(ValueError, match="fail"):
            failed.result()


def test_an_executor_that_is_given_up_stops_what_is_running_and_starts_nothing_more():
    executor = LocalExecutor(1)
    first, second = executor.submit(time.sleep, 600), executor.submit(doubled, 1)
    while not first.running():
        time.sleep(0.01)
    executor.shutdown(cancel_futures=True)
    with pytest.raises(WorkerDied):
        first.result()
    assert second.cancelled()
