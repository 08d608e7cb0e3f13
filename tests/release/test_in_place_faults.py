"""A refresh in place is one transaction, so one that fails anywhere never was, and leaves nothing."""

from __future__ import annotations

import os
import signal

import pytest
from fix_copies import definitions, run_script
from fix_in_place import query, schemas, use
from fix_release import FaultRunner, Staging, kill

from parity_data.demo.server import Server

KILLS = (
    *(
        pytest.param(p, marks=pytest.mark.slow)
        for p in ("in the first chunk", "in the last chunk", "in ANALYZE")
    ),
    *("in the checks", "in the clean-up"),
)


@pytest.mark.parametrize("method", ["schema", "truncate"])
@pytest.mark.parametrize("point", KILLS)
def test_a_refresh_in_place_that_is_killed_never_was(
    method: str, point: str, staging: Staging, faults: FaultRunner
) -> None:
    use(staging, method)
    if method == "truncate":
        run_script(staging.target, definitions(staging.settings.need_source()))
    staging.refresh()
    staging.next_edition()
    before = schemas(staging), query(staging.target, "SELECT last_value FROM purchase_id_seq")
    outcome = faults.run(staging.settings, point=point)
    assert outcome.status == -signal.SIGKILL, outcome.text
    if point == "in the clean-up":
        assert staging.serves() == 2
    else:
        # Tables are locked until the server has noticed.
        assert staging.serves() == 1
        assert before == (schemas(staging), query(staging.target, "SELECT last_value FROM purchase_id_seq"))
    staging.next_edition()
    staging.refresh()
    assert staging.serves() == 3


@pytest.mark.slow
@pytest.mark.parametrize("method", ["schema", "truncate"])
@pytest.mark.parametrize("lost", ["target", "source", "patience"])
def test_a_refresh_in_place_that_fails_never_was(
    method: str,
    lost: str,
    staging: Staging,
    faults: FaultRunner,
    source_server: Server,
    target_server: Server,
) -> None:
    use(staging, method)
    if method == "truncate":
        run_script(staging.target, definitions(staging.settings.need_source()))
    first = staging.refresh()
    staging.next_edition()
    before = schemas(staging)
    with faults.paused(staging.settings, "in the middle chunk") as held:
        if lost == "patience":
            os.kill(held.pid, signal.SIGTERM)
        else:
            server = {"target": target_server, "source": source_server}[lost]
            kill(server)
            server.start()
    assert held.outcome.status == (3 if lost == "patience" else 1), held.outcome.text
    assert ("was lost" in held.outcome.text) == (lost != "patience")
    assert (staging.serves(), schemas(staging)) == (1, before)
    staging.refresh()
    assert (staging.serves(), schemas(staging)) == (
        2,
        {f"public__prev_{first}"} if method == "schema" else set(),
    )
