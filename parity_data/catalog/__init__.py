"""What production is: one snapshot, its tables, types and keys, its fingerprint and migration heads."""

from parity_data.catalog.model import Catalog, Column, ForeignKey, Leaf, Name, Table, Type
from parity_data.catalog.reflect import read_catalog
from parity_data.catalog.snapshot import Snapshot

__all__ = ["Catalog", "Column", "ForeignKey", "Leaf", "Name", "Snapshot", "Table", "Type", "read_catalog"]
