"""The scrub rules: a folder of reviewed YAML files, read into one typed policy.

``load_policy`` reads and validates the folder, ``check_policy`` and ``check_accepted`` hold it against the
catalog and find everything that nobody has decided, ``write_rules`` adds proposals without touching what
people wrote.
"""

from parity_data.rules.check import Problem, check_policy, error_for
from parity_data.rules.declared import DeclaredDifference
from parity_data.rules.drift import check_accepted
from parity_data.rules.lifecycle import Hook, Load, Release, StagingOwn
from parity_data.rules.load import load_policy
from parity_data.rules.own import register_own
from parity_data.rules.patterns import resolve
from parity_data.rules.policy import ColumnRule, Objects, Policy
from parity_data.rules.write import NewRule, WriteResult, save_policy, write_accepted, write_rules

__all__ = [
    "ColumnRule",
    "DeclaredDifference",
    "Hook",
    "Load",
    "NewRule",
    "Objects",
    "Policy",
    "Problem",
    "Release",
    "StagingOwn",
    "WriteResult",
    "check_accepted",
    "check_policy",
    "error_for",
    "load_policy",
    "register_own",
    "resolve",
    "save_policy",
    "write_accepted",
    "write_rules",
]
