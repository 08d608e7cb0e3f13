"""Which columns hold personal data, and why we think so: evidence first, then a decision per column."""

from parity_data.detect.cache import ValueCache
from parity_data.detect.model import Band, Decision, Evidence, PathDecision
from parity_data.detect.scan import propose, scan

__all__ = ["Band", "Decision", "Evidence", "PathDecision", "ValueCache", "propose", "scan"]
