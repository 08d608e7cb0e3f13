"""Dagster's entry point."""

from parity_data.assets.build import build_definitions, lenient_settings

defs = build_definitions(lenient_settings())
