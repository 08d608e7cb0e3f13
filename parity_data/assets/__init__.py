"""The refresh as Dagster shows and runs it: assets, asset checks, the job, the schedule, the resource.

Nothing is decided here. Every asset calls one or two methods of ``parity_data.refresh.Refresh``, in the
order in which they stand there, and tells Dagster what came back. ``launch`` runs the same job in the
process of the command line.
"""

from parity_data.assets.build import build_definitions

__all__ = ["build_definitions"]
