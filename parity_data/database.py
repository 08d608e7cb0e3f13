"""One PostgreSQL database by address: parsing, showing without the password, connecting.

Everything libpq understands works: URLs, ``key=value`` strings, services, ``PGPASSFILE``, sockets.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import conninfo

from parity_data.errors import ConfigError, ParityError, SourceError, TargetError

#: Client settings under which values leave a server as text that any other server reads back unchanged.
EXACT_TEXT = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "TimeZone": "UTC",
    "search_path": "",
}

#: libpq keywords and the environment variables that mean the same to pg_dump and pg_restore.
_ENVIRONMENT = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
    "options": "PGOPTIONS",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssencmode": "PGGSSENCMODE",
    "channel_binding": "PGCHANNELBINDING",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}

CONNECT_TIMEOUT_SECONDS = 10

# What the driver has to say goes where somebody asked for it, not to standard error: it quotes the server.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


class Database:
    """The address of one database; shows itself without the password."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = {k: str(v) for k, v in parameters.items() if v is not None}

    @classmethod
    def parse(cls, text: str, name: str = "URL") -> Database:
        """Read a URL or libpq connection string. name: the setting to blame. Raises ConfigError."""
        text = re.sub(r"^postgres(ql)?\+\w+://", "postgresql://", text.strip())
        try:
            return cls(conninfo.conninfo_to_dict(text))
        except psycopg.ProgrammingError:
            # libpq quotes what it could not read, and that may be the password.
            raise ConfigError(
                f"{name} is not a PostgreSQL URL or connection string.",
                todo="Write it as postgresql://user@host:5432/database; "
                "special characters in a password need percent-encoding.",
            ) from None

    def __repr__(self) -> str:
        return f"Database({self.display!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Database) and other._parameters == self._parameters

    def __hash__(self) -> int:
        return hash(tuple(sorted(self._parameters.items())))

    def __reduce__(self) -> tuple[type[Database], tuple[dict[str, str]]]:
        return Database, (self._parameters,)

    @property
    def display(self) -> str:
        """The address as a URL without password, for people."""
        p = self._parameters
        if "service" in p and "host" not in p:
            return f"service={p['service']}" + (f" dbname={p['dbname']}" if "dbname" in p else "")
        host = p.get("host") or p.get("hostaddr") or "localhost"
        user = f"{quote(p['user'], safe='')}@" if "user" in p else ""
        port = f":{p['port']}" if "port" in p else ""
        place = quote(host, safe=":,[]")
        return f"postgresql://{user}{place}{port}/{quote(p.get('dbname', ''), safe='')}"

    @property
    def name(self) -> str | None:
        """The database's name as written, None when libpq's defaults decide."""
        return self._parameters.get("dbname")

    @property
    def password(self) -> str | None:
        return self._parameters.get("password")

    def with_name(self, name: str) -> Database:
        """The same server and role, another database."""
        return Database({**self._parameters, "dbname": name})

    def with_options(self, **settings: str) -> Database:
        """The same database with server settings for the session, as libpq ``options``."""
        extra = " ".join(f"-c {k}={_escape_option(v)}" for k, v in settings.items())
        merged = " ".join(filter(None, [self._parameters.get("options"), extra]))
        return Database({**self._parameters, "options": merged})

    def connect(self, *, autocommit: bool = False, role: str = "database") -> psycopg.Connection[Any]:
        """Open a psycopg connection. role: what to call it in errors. Raises SourceError or TargetError."""
        try:
            connection: psycopg.Connection[Any] = psycopg.connect(self.uri(), autocommit=autocommit)
        except psycopg.OperationalError as error:
            raise self.explain(error, role) from None
        return connection

    def explain(self, error: psycopg.Error, role: str) -> ParityError:
        """Turn a failed connection into one clear sentence without secrets."""
        text = str(error)
        todo: str | None = None
        if "password authentication failed" in text or "no password supplied" in text:
            what, todo = "the server refused the password", "Check the user and password."
        elif "does not exist" in text and "database" in text:
            what, todo = "the database does not exist", "Check the name, or create it."
        elif "could not translate host name" in text or "resolve host" in text or "getaddrinfo" in text:
            what, todo = "the host name is unknown", "Check the host in the URL."
        elif "timeout expired" in text or "timed out" in text:
            what, todo = (
                f"no answer within {CONNECT_TIMEOUT_SECONDS} seconds",
                "Check host, port and firewall.",
            )
        elif "refused" in text or "No such file" in text or "unreachable" in text:
            what, todo = "nothing answers there", "Check host and port, and that the server runs."
        elif "no pg_hba.conf entry" in text:
            what, todo = (
                "pg_hba.conf does not let this user in",
                "Ask for an entry, or use TLS (sslmode=require).",
            )
        elif "too many" in text or "connection slots" in text:
            what, todo = "the server has no free connection slot", "Try again later or raise max_connections."
        elif "role" in text and "does not exist" in text:
            what, todo = "the role does not exist", "Check the user in the URL."
        elif "service file" in text or "definition of service" in text:
            what, todo = "the libpq service is not defined", "Check PGSERVICEFILE and the service's name."
        else:
            what = f"the connection failed ({type(error).__name__})"
        kind = SourceError if role == "source" else TargetError
        return kind(f"Cannot connect to the {role} {self.display}: {what}.", todo=todo)

    def uri(self) -> str:
        """A libpq connection string *with* the password, for drivers only."""
        return conninfo.make_conninfo(
            "", **{"connect_timeout": str(CONNECT_TIMEOUT_SECONDS), **self._parameters}
        )

    def environment(self) -> dict[str, str]:
        """Process environment for the client tools: no secret ever stands on a command line."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("PARITY_")}
        for key, variable in _ENVIRONMENT.items():
            if key in self._parameters:
                env[variable] = self._parameters[key]
        if "dbname" in self._parameters:
            env["PGDATABASE"] = self._parameters["dbname"]
        env.setdefault("PGCONNECT_TIMEOUT", str(CONNECT_TIMEOUT_SECONDS))
        env["PGAPPNAME"] = "parity-data"
        return env


def _escape_option(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
