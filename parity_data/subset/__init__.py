"""Which rows: keys only, sampled by keyed hash, closed under foreign keys."""

from parity_data.subset.links import Link, make_links
from parity_data.subset.plan import Sample, Selection, select_everything, select_rows
from parity_data.subset.roles import TableRole, assign_roles

__all__ = [
    "Link",
    "Sample",
    "Selection",
    "TableRole",
    "assign_roles",
    "make_links",
    "select_everything",
    "select_rows",
]
