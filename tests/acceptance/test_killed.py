"""A refresh from the command line, killed in the middle of its load; the next one does not notice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from fix_command_line import CommandLine
from fix_release import Staging, Watch, until

from parity_data.settings import Settings

_COPYING = """
SELECT count(*) FROM pg_stat_activity
WHERE starts_with(datname, %s) AND state = 'active' AND query ILIKE 'COPY%%FROM STDIN%%'
"""


def test_killed_in_the_middle_of_a_load(
    staging: Staging, command_line: Callable[[Settings], CommandLine]
) -> None:
    parity = command_line(staging.settings)
    assert parity.run("refresh").returncode == 0
    old = staging.serves()
    new = staging.next_edition()
    source = staging.settings.need_source()
    with Watch(staging.target) as watch:
        with source.connect(autocommit=True) as admin, staging.target.connect(autocommit=True) as other:
            # Sixty megabytes, so that the load is seen at work.
            admin.execute(
                "INSERT INTO bare SELECT i, repeat('word ', 40) FROM generate_series(1, 300000) AS i"
            )
            child = parity.start("refresh")
            until(
                lambda: other.execute(_COPYING, [f"{staging.target.name}__next"]).fetchone() != (0,),
                "rows to be copied",
            )
            os.killpg(child.pid, signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
            assert staging.serves() == old
            admin.execute("DELETE FROM bare WHERE word LIKE 'word word%'")
        done = parity.run("refresh")
    assert done.returncode == 0, done.stderr
    assert not watch.wrong
    assert set(watch.seen) <= {old, new}
    assert staging.serves() == new
    staging.assert_clean()
