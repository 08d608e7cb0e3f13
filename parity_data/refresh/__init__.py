"""One refresh from snapshot to report: the stages in order, holding what they share.

The command line and the Dagster assets call the same methods in the same order.
"""

from parity_data.refresh.request import Mode, RefreshRequest, current_user
from parity_data.refresh.session import Refresh

__all__ = ["Mode", "Refresh", "RefreshRequest", "current_user"]
