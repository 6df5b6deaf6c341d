"""A release on three nodes while duels are played: no answer and no match is lost by it."""

import pytest

from tests.chaos.rolling import rolling_plan
from tests.chaos.run import run


@pytest.mark.parametrize("balancer", ["haproxy"])
async def test_rolling_restart_of_three_nodes_loses_no_answer_and_no_match(
    balancer: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plan = rolling_plan(7, nodes=3, rounds=1, pairs=6, balancer=balancer)
    outcome = await run(plan, tmp_path_factory.mktemp("rolling"))
    assert not outcome.findings
    assert [fault.ready_at is not None for fault in outcome.history.faults] == [True] * 3
    # Whether a command is on its way just then is chance; that players had to come back is not.
    lines = {(command.player, command.connection) for command in outcome.history.commands}
    assert len(lines) > len({player for player, _ in lines}), "it was in nobody's way"
