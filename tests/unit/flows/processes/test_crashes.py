"""The rule that tells a killed run from one that runs."""

from flows.processes.crashes import CRASH_RULE, crash_rule


def test_a_run_without_heartbeat_is_marked_as_crashed():
    rule = crash_rule()
    assert rule.trigger.after == {"prefect.flow-run.heartbeat"}
    assert rule.trigger.expect > rule.trigger.after
    assert rule.actions[0].state.value == "CRASHED"
    assert rule.name == CRASH_RULE
