"""States of a run and its first failure."""

import pytest

from kpviewer.errors import PipelineError, SourceError
from kpviewer.pipeline.state.lifecycle import Lifecycle
from kpviewer.pipeline_status import PipelineState, StopReason


def running(threads: int = 2) -> Lifecycle:
    lifecycle = Lifecycle()
    lifecycle.begin(threads)
    lifecycle.opened()
    return lifecycle


def test_a_run_goes_from_idle_over_starting_and_running_to_idle():
    lifecycle = Lifecycle()
    states = [lifecycle.state]
    lifecycle.begin(1)
    states.append(lifecycle.state)
    lifecycle.opened()
    states.append(lifecycle.state)
    lifecycle.stopping(StopReason.REQUESTED)
    states.append(lifecycle.state)
    lifecycle.thread_ended()
    states.append(lifecycle.state)
    assert states == ["idle", "starting", "running", "stopping", "idle"]
    assert lifecycle.stop_reason is StopReason.REQUESTED


def test_a_run_can_not_start_twice():
    with pytest.raises(PipelineError, match="is still"):
        running().begin(2)


def test_the_first_failure_is_kept_and_settles_the_state_when_all_threads_ended():
    lifecycle = running()
    first = SourceError("gone")
    lifecycle.failed(first)
    lifecycle.failed(SourceError("later"))
    lifecycle.thread_ended()
    assert lifecycle.state is PipelineState.STOPPING
    lifecycle.thread_ended()
    assert lifecycle.state is PipelineState.FAILED
    assert lifecycle.failure is first


def test_an_unexpected_error_is_wrapped_in_one_line():
    lifecycle = running()
    cause = ValueError("first line\nsecond line")
    lifecycle.failed(cause)
    assert isinstance(lifecycle.failure, PipelineError)
    assert str(lifecycle.failure) == "ValueError: first line"
    assert lifecycle.failure.__cause__ is cause


def test_an_error_without_text_still_says_something():
    lifecycle = running()
    lifecycle.failed(MemoryError())
    assert str(lifecycle.failure) == "MemoryError: no reason given"


def test_the_first_reason_to_stop_stays():
    lifecycle = running()
    lifecycle.stopping(StopReason.END_OF_STREAM)
    lifecycle.stopping(StopReason.REQUESTED)
    lifecycle.opened()  # too late to run again
    assert lifecycle.stop_reason is StopReason.END_OF_STREAM
    assert lifecycle.state is PipelineState.STOPPING


def test_a_thread_that_ends_without_a_reason_has_failed():
    lifecycle = running(2)
    lifecycle.thread_ended()
    assert lifecycle.state is PipelineState.STOPPING
    lifecycle.thread_ended()
    assert lifecycle.state is PipelineState.FAILED
    assert "without a reason" in str(lifecycle.failure)


def test_stopping_what_never_started_changes_nothing():
    lifecycle = Lifecycle()
    lifecycle.stopping(StopReason.REQUESTED)
    assert lifecycle.state is PipelineState.IDLE


def test_a_new_run_forgets_the_failure():
    lifecycle = running(1)
    lifecycle.failed(SourceError("gone"))
    lifecycle.thread_ended()
    lifecycle.begin(1)
    assert lifecycle.failure is None
    assert lifecycle.stop_reason is None
