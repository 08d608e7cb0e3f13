"""What tables and columns look like on both sides, in figures that hold no value.

Rows of production and of the built release are read alike, few of large tables, and described by the same
code: shares, ranks, lengths, positions among quantiles. Nothing here judges; ``verify`` does.
"""

from parity_data.profile.columns import profile_column
from parity_data.profile.keys import FanOut, fan_out, fan_out_of, profile_key
from parity_data.profile.model import (
    ColumnProfile,
    Counts,
    Curve,
    KeyProfile,
    Lengths,
    Looked,
    PairProfile,
    PathProfile,
    Physical,
    TableProfile,
    Trait,
)
from parity_data.profile.pairs import Described, profile_pairs
from parity_data.profile.physical import Planner, Statistics, read_statistics
from parity_data.profile.rows import Sampled, choose, read_rows

__all__ = [
    "ColumnProfile",
    "Counts",
    "Curve",
    "Described",
    "FanOut",
    "KeyProfile",
    "Lengths",
    "Looked",
    "PairProfile",
    "PathProfile",
    "Physical",
    "Planner",
    "Sampled",
    "Statistics",
    "TableProfile",
    "Trait",
    "choose",
    "fan_out",
    "fan_out_of",
    "profile_column",
    "profile_key",
    "profile_pairs",
    "read_rows",
    "read_statistics",
]
