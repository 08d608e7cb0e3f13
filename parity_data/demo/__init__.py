"""The embedded production and staging servers, and the messy shop that lives in production.

With no source configured, everything runs here: ``lifecycle`` starts, fills, stops and resets the
demo, ``server`` runs one PostgreSQL server in a folder, ``shop`` fills a database with rows that hold
about everything that real databases hold.
"""

from __future__ import annotations

from parity_data.demo.server import Server

__all__ = ["Server"]
