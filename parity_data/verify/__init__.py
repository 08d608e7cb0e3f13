"""Checks: schema, volume, NULLs, foreign keys, sequences and leaks. Each returns ``CheckResult`` values."""

from parity_data.verify.result import CheckResult, Difference, Status
from parity_data.verify.summary import verdict

__all__ = ["CheckResult", "Difference", "Status", "verdict"]
