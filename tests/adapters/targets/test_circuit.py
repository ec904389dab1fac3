"""Who does not answer is left in peace for a while, then asked once."""

from __future__ import annotations

from adapters.targets.circuit import Circuit, State


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def broken(clock: Clock) -> Circuit:
    circuit = Circuit(failures_max=3, pause_seconds_min=1, pause_seconds_max=4, clock=clock)
    for _ in range(3):
        circuit.failed()
    return circuit


def test_calls_go_through_while_they_are_answered() -> None:
    circuit = Circuit()
    for _ in range(10):
        assert circuit.admits()
        circuit.succeeded()
    assert circuit.state is State.CLOSED


def test_one_failure_is_tried_again_soon_and_opens_nothing() -> None:
    clock = Clock()
    circuit = Circuit(clock=clock)
    circuit.failed()
    assert not circuit.admits()
    clock.seconds += 0.2
    assert circuit.admits()
    assert circuit.state is State.CLOSED


def test_after_three_failures_in_a_row_nothing_goes_through_until_the_pause_is_over() -> None:
    clock = Clock()
    circuit = broken(clock)
    assert circuit.state is State.OPEN
    clock.seconds += 0.9
    assert not circuit.admits()
    clock.seconds += 0.2
    assert circuit.admits()


def test_after_the_pause_one_call_decides_and_the_others_wait_for_it() -> None:
    clock = Clock()
    circuit = broken(clock)
    clock.seconds += 1.1
    assert circuit.admits()
    assert circuit.state.value == "half open"
    assert not circuit.admits()
    circuit.succeeded()
    assert circuit.state is State.CLOSED
    assert circuit.admits()


def test_the_pause_grows_with_each_failure_up_to_its_limit() -> None:
    clock = Clock()
    circuit = broken(clock)
    pauses = []
    for _ in range(4):
        start = clock.seconds
        while not circuit.admits():
            clock.seconds += 0.1
        pauses.append(round(clock.seconds - start))
        circuit.failed()
    assert pauses == [1, 2, 4, 4]


def test_failures_that_are_not_in_a_row_do_not_add_up() -> None:
    circuit = Circuit(failures_max=2)
    for _ in range(5):
        circuit.failed()
        circuit.succeeded()
    assert circuit.state is State.CLOSED
