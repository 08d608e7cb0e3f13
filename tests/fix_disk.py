"""A file system with no room, for a database that has to live on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fix_release import Staging
from psycopg import sql

from parity_data.demo.server import Server

NoRoom = Callable[[Staging], AbstractContextManager[None]]

_BIG = "CREATE TABLE big TABLESPACE small AS SELECT repeat('x', 500) AS x FROM generate_series(1, 9000)"


@pytest.fixture
def no_room(source_server: Server, target_server: Server) -> NoRoom:
    """Production gets a table of five megabytes, in a tablespace that has two of them on the target."""

    @contextlib.contextmanager
    def lack_room(staging: Staging) -> Iterator[None]:
        rules = staging.settings.rules / "public.yaml"
        before = rules.read_text()
        with _small_disk() as disk, contextlib.ExitStack() as undo:
            for server, place in {source_server: disk.parent / "plenty", target_server: disk}.items():
                place.mkdir(exist_ok=True)
                place.chmod(0o777)
                os.chown(place, *_owner(server))
                admin = undo.enter_context(server.url("postgres").connect(autocommit=True))
                admin.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(str(place)))
                undo.callback(admin.execute, "DROP TABLESPACE small")
            source = undo.enter_context(staging.settings.need_source().connect(autocommit=True))
            source.execute(_BIG)
            undo.callback(source.execute, "DROP TABLE big")
            rules.write_text(before + "  big:\n    x: keep\n")
            undo.callback(rules.write_text, before)
            yield

    return lack_room


@contextlib.contextmanager
def _small_disk() -> Iterator[Path]:
    """A file system of two megabytes. Skips where it must not be mounted."""
    disk = Path(f"/tmp/parity-disk-{os.getpid()}/small")
    disk.mkdir(parents=True)
    disk.parent.chmod(0o755)
    command = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0777", "tmpfs", str(disk)]
    try:
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount a small file system")
        try:
            yield disk
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)
    finally:
        shutil.rmtree(disk.parent)


def _owner(server: Server) -> tuple[int, int]:
    data = (server.folder / "cluster").resolve()
    return data.stat().st_uid, data.stat().st_gid
