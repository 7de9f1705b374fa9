import pytest

from models.training import speed
from models.training.speed import SpeedPlan, choose_plan, has_fast_bf16

SECONDS = {
    ("32-true", "contiguous"): 0.03,
    ("32-true", "channels_last"): 0.02,
    ("bf16-mixed", "contiguous"): 0.01,
    ("bf16-mixed", "channels_last"): 0.001,
}


class Clock:
    """Stands where plans look for the time: an update takes what `SECONDS` says, however busy the machine is."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now

    def batch(self, plan):
        return lambda: self.wait(SECONDS[plan.precision, plan.memory_format])

    def wait(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(speed, "time", clock)
    return clock


@pytest.fixture
def fast_bf16(monkeypatch):
    monkeypatch.setattr(speed, "has_fast_bf16", lambda: True)


@pytest.fixture
def slow_bf16(monkeypatch):
    monkeypatch.setattr(speed, "has_fast_bf16", lambda: False)


def never(plan):
    raise AssertionError(f"{plan} need not be measured")


def chosen(plan):
    return plan.precision, plan.memory_format


def test_the_fastest_is_chosen_and_all_are_recorded(clock, fast_bf16):
    plan = choose_plan(clock.batch, images=64)
    assert chosen(plan) == ("bf16-mixed", "channels_last")
    assert set(plan.measured) == {"/".join(key) for key in SECONDS}
    assert max(plan.measured, key=plan.measured.get) == "bf16-mixed/channels_last"
    assert plan.measured["32-true/contiguous"] == pytest.approx(64 / 0.03, abs=0.1)


def test_slow_bf16_is_not_even_tried(clock, slow_bf16):
    plan = choose_plan(clock.batch, images=64)
    assert chosen(plan) == ("32-true", "channels_last")
    assert set(plan.measured) == {"32-true/contiguous", "32-true/channels_last"}


def test_a_named_precision_is_obeyed(clock, fast_bf16):
    assert chosen(choose_plan(clock.batch, 64, precision="32-true")) == ("32-true", "channels_last")


def test_a_named_memory_format_is_obeyed(clock, fast_bf16):
    assert chosen(choose_plan(clock.batch, 64, memory_format="contiguous")) == ("bf16-mixed", "contiguous")


@pytest.mark.parametrize("machine", ["fast_bf16", "slow_bf16"])
def test_where_both_are_named_nothing_is_measured(machine, request):
    request.getfixturevalue(machine)
    plan = choose_plan(never, 64, precision="bf16-mixed", memory_format="contiguous")
    assert plan == SpeedPlan(precision="bf16-mixed", memory_format="contiguous")


def test_bf16_by_name_is_obeyed_even_where_it_is_slow(clock, slow_bf16):
    assert chosen(choose_plan(clock.batch, 64, precision="bf16-mixed")) == ("bf16-mixed", "channels_last")


def test_the_first_update_of_a_plan_is_warm_up(clock, slow_bf16):
    def slow_start(plan):
        waits = iter([0.05]) if plan.memory_format == "channels_last" else iter([])
        return lambda: clock.wait(next(waits, SECONDS[plan.precision, plan.memory_format]))

    assert chosen(choose_plan(slow_start, 64, rounds=1)) == ("32-true", "channels_last")


def test_the_machine_is_asked(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    for capability, fast in (("avx512_bf16", True), ("amx_bf16", True), ("avx2", False)):
        monkeypatch.setattr("torch.cpu.get_capabilities", lambda name=capability: {name: True})
        assert has_fast_bf16() is fast
