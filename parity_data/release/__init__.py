"""The next staging database: built beside the current one, swapped in whole, kept, rolled back."""

from parity_data.release.extensions import create_extensions, read_offer
from parity_data.release.large_objects import copy_large_objects
from parity_data.release.ledger import Ledger, ReleaseRecord
from parity_data.release.leftovers import drop_leftovers, recover
from parity_data.release.swap import promote, rollback
from parity_data.release.tools import ClientTools, find_client_tools

__all__ = [
    "ClientTools",
    "Ledger",
    "ReleaseRecord",
    "copy_large_objects",
    "create_extensions",
    "drop_leftovers",
    "find_client_tools",
    "promote",
    "read_offer",
    "recover",
    "rollback",
]
