"""What every test may use; the fixtures live in ``fix_*.py`` by theme."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["fix_servers", "fix_copies", "fix_release", "fix_in_place", "fix_disk", "fix_command_line"]

# A busy machine takes its time, so no example has a deadline.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples in every run of a pipeline: a new one is found at somebody's desk, not in their way.
settings.register_profile("pipeline", settings.get_profile("desk"), derandomize=True, database=None)
settings.load_profile("pipeline" if os.environ.get("CI") else "desk")
