"""Dagster's entry point."""

from parity_data.allocator import one_pool
from parity_data.assets.build import build_definitions, lenient_settings

one_pool()
defs = build_definitions(lenient_settings())
