"""Settings of a server that change how it behaves, as a new session of the connected role gets them.

Read are named settings and two categories only: none of them holds a path, an address or a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

#: Groups of settings by name. PostgreSQL manual, chapter 19, says what each does.
_GROUPS: dict[str, tuple[str, ...]] = {
    "time-outs": (
        *("statement_timeout", "lock_timeout", "transaction_timeout", "deadlock_timeout"),
        *("idle_in_transaction_session_timeout", "idle_session_timeout"),
    ),
    "limits": (
        *("max_connections", "max_locks_per_transaction", "max_prepared_transactions", "temp_file_limit"),
        *("work_mem", "hash_mem_multiplier", "maintenance_work_mem", "shared_buffers", "temp_buffers"),
        *("max_worker_processes", "max_parallel_workers", "max_parallel_workers_per_gather"),
        *("max_parallel_maintenance_workers", "max_stack_depth", "vacuum_buffer_usage_limit"),
        *("effective_io_concurrency", "maintenance_io_concurrency", "io_workers"),
    ),
    "planner": ("parallel_leader_participation", "debug_parallel_query", "force_parallel_mode"),
    "meaning": (
        *("TimeZone", "DateStyle", "IntervalStyle", "lc_messages", "lc_monetary", "lc_numeric", "lc_time"),
        *("default_text_search_config", "standard_conforming_strings", "bytea_output", "xmlbinary"),
        *("xmloption", "extra_float_digits", "default_transaction_isolation", "search_path"),
        *("default_transaction_read_only", "default_transaction_deferrable", "row_security"),
        *("session_replication_role", "server_encoding", "transform_null_equals", "array_nulls"),
        *("default_toast_compression", "default_tablespace", "default_table_access_method"),
        *("check_function_bodies", "escape_string_warning", "backslash_quote", "lo_compat_privileges"),
    ),
    "durability": ("synchronous_commit", "wal_level", "fsync", "full_page_writes"),
    "loading": ("shared_preload_libraries", "session_preload_libraries", "local_preload_libraries"),
    "watching": (
        *("log_min_duration_statement", "log_statement", "track_activities", "track_counts"),
        *("track_functions", "track_io_timing", "compute_query_id"),
    ),
}
_BY_NAME = {name: group for group, names in _GROUPS.items() for name in names}
#: Groups of whole categories, by what the category begins with.
_BY_CATEGORY = {
    "Query Tuning": "planner",
    "Autovacuum": "upkeep",
    "Vacuuming": "upkeep",
    "Client Connection Defaults / Statement Behavior": "upkeep",
}
#: The server hands these down from the role or the client, so that they say nothing about the server.
_NOT_THE_SERVERS = {
    "client": "the connection sets it",
    "session": "the connection sets it",
    "user": "set for the connecting role only",
    "database user": "set for the connecting role only",
}
_READ = """
SELECT s.name, s.category, s.source, s.setting, current_setting(s.name), s.vartype, coalesce(s.unit, '')
FROM pg_settings s WHERE s.name = ANY(%s) OR starts_with(s.category, 'Query Tuning')
   OR starts_with(s.category, 'Autovacuum') OR starts_with(s.category, 'Vacuuming')
   OR (s.category = 'Client Connection Defaults / Statement Behavior' AND starts_with(s.name, 'vacuum_'))
"""


@dataclass(frozen=True)
class ServerSetting:
    """One setting. text: as SHOW prints it. number: in the setting's own unit, None for what is no number.

    hidden: why it says nothing about the server, None where it does.
    """

    name: str
    group: str
    text: str
    number: float | None = None
    unit: str = ""
    hidden: str | None = None


def read_settings(connection: psycopg.Connection[Any]) -> dict[str, ServerSetting]:
    """The settings by name. connection: one that has changed none. Raises psycopg.Error."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_READ, [list(_BY_NAME)]).fetchall()
    return {
        name: ServerSetting(
            name,
            _BY_NAME.get(name) or next(g for c, g in _BY_CATEGORY.items() if category.startswith(c)),
            text,
            float(raw) if kind in ("integer", "real") else None,
            unit,
            _NOT_THE_SERVERS.get(source),
        )
        for name, category, source, raw, text, kind, unit in sorted(rows)
    }
