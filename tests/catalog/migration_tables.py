# ruff: noqa: E501 - tables as the tools write them
"""How each migration tool keeps its book: tables as the tool makes them, and what a migration writes there.

``made_by`` says where the form is from: the tool's own package run once ('npm ...'; tables and rows as pg_dump
prints them), or its documentation. Alembic, Django and yoyo run for themselves in test_migration_heads.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Book:
    """tables: statements that make them. applied: writes migration {n}, an integer. broken: leaves {n} half done.

    lasts: the table holds the newest migration only, so that another one replaces it. locked: takes the lock.
    """

    tool: str
    tables: str
    applied: str
    broken: str = ""
    locked: str = ""
    lasts: bool = False
    made_by: str = "documentation"


BOOKS = (
    Book(
        "Flyway",
        """CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50),
        description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int,
        installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(),
        execution_time int NOT NULL, success boolean NOT NULL)""",
        "INSERT INTO flyway_schema_history VALUES ({n}, '{n}', 'step', 'SQL', 'V{n}__step.sql', {n}, 'me', now(), 5, true)",
        broken="INSERT INTO flyway_schema_history VALUES ({n}, '{n}', 'step', 'SQL', 'V{n}__step.sql', {n}, 'me', now(), 5, false)",
    ),
    Book(
        "Liquibase",
        """CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL,
        filename varchar(255) NOT NULL, dateexecuted timestamp NOT NULL, orderexecuted int NOT NULL,
        exectype varchar(10) NOT NULL, md5sum varchar(35), description varchar(255), comments varchar(255),
        tag varchar(255), liquibase varchar(20), contexts varchar(255), labels varchar(255), deployment_id varchar(10));
        CREATE TABLE databasechangeloglock (id int PRIMARY KEY, locked boolean NOT NULL, lockgranted timestamp,
        lockedby varchar(255)); INSERT INTO databasechangeloglock VALUES (1, false, NULL, NULL)""",
        "INSERT INTO databasechangelog VALUES ('{n}', 'me', 'db.xml', now(), {n}, 'EXECUTED', '9:{n}')",
        broken="INSERT INTO databasechangelog VALUES ('{n}', 'me', 'db.xml', now(), {n}, 'FAILED', '9:{n}')",
        locked="UPDATE databasechangeloglock SET locked = true, lockedby = 'host'",
    ),
    Book(
        "golang-migrate",
        "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",
        "INSERT INTO schema_migrations VALUES ({n}, false)",
        broken="INSERT INTO schema_migrations VALUES ({n}, true)",
        lasts=True,
    ),
    Book(
        "Ecto",
        "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, inserted_at timestamp(0))",
        "INSERT INTO schema_migrations VALUES (2024010100000{n}, now())",
    ),
    Book(
        "Rails",
        """CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
        CREATE TABLE ar_internal_metadata (key varchar NOT NULL PRIMARY KEY, value varchar,
        created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
        INSERT INTO ar_internal_metadata VALUES ('environment', 'production', now(), now())""",
        "INSERT INTO schema_migrations VALUES ('2024010100000{n}')",
    ),
    Book(
        "dbmate",
        "CREATE TABLE schema_migrations (version character varying NOT NULL PRIMARY KEY)",
        "INSERT INTO schema_migrations VALUES ('2024010100000{n}')",
        made_by="npm dbmate 2.36.0",
    ),
    Book(
        "Supabase",
        """CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations
        (version text NOT NULL PRIMARY KEY, statements text[], name text)""",
        "INSERT INTO supabase_migrations.schema_migrations VALUES ('2024010100000{n}', '{{}}', 'step')",
    ),
    Book(
        "goose",
        """CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL,
        is_applied boolean NOT NULL, tstamp timestamp DEFAULT now());
        INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (9, true), (9, false)""",
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES ({n}, true)",
    ),
    Book(
        "Prisma",
        """CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL,
        finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
        started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0)""",
        "INSERT INTO _prisma_migrations VALUES ('{n}', 'c{n}', now(), '{n}_step', NULL, NULL, now(), 1)",
        broken="INSERT INTO _prisma_migrations VALUES ('{n}', 'c{n}', NULL, '{n}_step', 'why', NULL, now(), 0)",
    ),
    Book(
        "Knex",
        """CREATE TABLE knex_migrations (id serial PRIMARY KEY, name character varying(255), batch integer,
        migration_time timestamp with time zone);
        CREATE TABLE knex_migrations_lock (index serial PRIMARY KEY, is_locked integer);
        INSERT INTO knex_migrations_lock VALUES (1, 0)""",
        "INSERT INTO knex_migrations (name, batch, migration_time) VALUES ('2024010100000{n}_step.js', 1, now())",
        locked="UPDATE knex_migrations_lock SET is_locked = 1",
        made_by="npm knex 3.3.0",
    ),
    Book(
        "TypeORM",
        """CREATE TABLE migrations (id serial PRIMARY KEY, "timestamp" bigint NOT NULL, name varchar NOT NULL)""",
        "INSERT INTO migrations (\"timestamp\", name) VALUES (170410000000{n}, 'Step170410000000{n}')",
        made_by="npm typeorm 1.1.1",
    ),
    Book(
        "Laravel",
        "CREATE TABLE migrations (id serial PRIMARY KEY, migration varchar(255) NOT NULL, batch int NOT NULL)",
        "INSERT INTO migrations (migration, batch) VALUES ('2024_01_0{n}_step', {n})",
    ),
    Book(
        "Sequelize",
        'CREATE TABLE "SequelizeMeta" (name character varying(255) NOT NULL PRIMARY KEY)',
        "INSERT INTO \"SequelizeMeta\" VALUES ('2024010100000{n}-step.js')",
        made_by="npm sequelize-cli 6.6.5",
    ),
    Book(
        "Drizzle",
        """CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations
        (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)""",
        """INSERT INTO drizzle.__drizzle_migrations (hash, created_at)
        VALUES ('354b7196c9ba5fb4b21cf615bb6ec4cd5c07503c34229feef033fc081a8c03f4', 170410000000{n})""",
        made_by="npm drizzle-orm 0.45.4",
    ),
    Book(
        "EF Core",
        """CREATE TABLE "__EFMigrationsHistory" ("MigrationId" varchar(150) NOT NULL PRIMARY KEY,
        "ProductVersion" varchar(32) NOT NULL)""",
        "INSERT INTO \"__EFMigrationsHistory\" VALUES ('2024010100000{n}_Step', '8.0.0')",
    ),
    Book(
        "node-pg-migrate",
        """CREATE TABLE pgmigrations (id serial PRIMARY KEY, name character varying(255) NOT NULL,
        run_on timestamp without time zone NOT NULL)""",
        "INSERT INTO pgmigrations (name, run_on) VALUES ('170410000000{n}_step', now())",
        made_by="npm node-pg-migrate 9.0.0",
    ),
    Book(
        "Sqitch",
        """CREATE SCHEMA sqitch; CREATE TABLE sqitch.changes (change_id text PRIMARY KEY, script_hash text,
        change text NOT NULL, project text NOT NULL, note text NOT NULL DEFAULT '',
        committed_at timestamptz NOT NULL DEFAULT clock_timestamp(), committer_name text NOT NULL,
        committer_email text NOT NULL, planned_at timestamptz NOT NULL, planner_name text NOT NULL,
        planner_email text NOT NULL);
        CREATE TABLE sqitch.events (event text NOT NULL, change_id text NOT NULL, change text NOT NULL,
        project text NOT NULL, committed_at timestamptz NOT NULL DEFAULT clock_timestamp())""",
        """INSERT INTO sqitch.changes VALUES ('c{n}', 's{n}', 'step{n}', 'shop', '', clock_timestamp(), 'me', 'me', now(), 'me',
        'me'); INSERT INTO sqitch.events VALUES ('deploy', 'c{n}', 'step{n}', 'shop')""",
        broken="INSERT INTO sqitch.events VALUES ('fail', 'c{n}', 'step{n}', 'shop')",
    ),
    Book(
        "Atlas",
        """CREATE SCHEMA atlas_schema_revisions; CREATE TABLE atlas_schema_revisions.atlas_schema_revisions
        (version varchar NOT NULL PRIMARY KEY, description varchar NOT NULL, type bigint NOT NULL DEFAULT 2,
        applied bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, executed_at timestamptz NOT NULL,
        execution_time bigint NOT NULL, error text, error_stmt text, hash varchar NOT NULL, partial_hashes jsonb,
        operator_version varchar NOT NULL);
        INSERT INTO atlas_schema_revisions.atlas_schema_revisions
        VALUES ('.atlas_cloud_identifier', 'x', 2, 0, 0, now(), 0, NULL, NULL, 'x', NULL, 'v')""",
        """INSERT INTO atlas_schema_revisions.atlas_schema_revisions
        VALUES ('2024010100000{n}', 'step', 2, 1, 1, now(), 1, NULL, NULL, 'h{n}', NULL, 'v')""",
        broken="""INSERT INTO atlas_schema_revisions.atlas_schema_revisions
        VALUES ('2024010100000{n}', 'step', 2, 1, 2, now(), 1, 'why', 'what', 'h{n}', NULL, 'v')""",
    ),
    Book(
        "Doctrine",
        """CREATE TABLE doctrine_migration_versions (version varchar(191) PRIMARY KEY, executed_at timestamp(0),
        execution_time int)""",
        "INSERT INTO doctrine_migration_versions VALUES ('Migrations\\Version{n}', now(), 1)",
    ),
    Book(
        "Hasura",
        """CREATE SCHEMA hdb_catalog; CREATE TABLE hdb_catalog.hdb_version (hasura_uuid uuid PRIMARY KEY
        DEFAULT gen_random_uuid(), version text NOT NULL, upgraded_on timestamptz NOT NULL,
        cli_state jsonb NOT NULL DEFAULT '{{}}', console_state jsonb NOT NULL DEFAULT '{{}}');
        INSERT INTO hdb_catalog.hdb_version (version, upgraded_on, cli_state)
        VALUES ('48', now(), '{{"migrations": {{"default": {{}}}}}}')""",
        """UPDATE hdb_catalog.hdb_version
        SET cli_state = jsonb_set(cli_state, '{{migrations,default,{n}}}', 'false')""",
        broken="""UPDATE hdb_catalog.hdb_version
        SET cli_state = jsonb_set(cli_state, '{{migrations,default,{n}}}', 'true')""",
    ),
    Book(
        "refinery",
        "CREATE TABLE refinery_schema_history (version int PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255))",
        "INSERT INTO refinery_schema_history VALUES ({n}, 'step', 'now', 'c{n}')",
    ),
    Book(
        "sqlx",
        """CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL,
        installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL,
        execution_time bigint NOT NULL)""",
        "INSERT INTO _sqlx_migrations VALUES ({n}, 'step', now(), true, '\\x0{n}', 1)",
        broken="INSERT INTO _sqlx_migrations VALUES ({n}, 'step', now(), false, '\\x0{n}', 1)",
    ),
    Book(
        "Diesel",
        "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now())",
        "INSERT INTO __diesel_schema_migrations VALUES ('2024010100000{n}')",
    ),
    Book(
        "Phinx",
        """CREATE TABLE phinxlog (version bigint PRIMARY KEY, migration_name varchar(100), start_time timestamp,
        end_time timestamp, breakpoint boolean NOT NULL DEFAULT false)""",
        "INSERT INTO phinxlog VALUES (2024010100000{n}, 'Step', now(), now())",
    ),
    Book(
        "pgroll",
        """CREATE SCHEMA pgroll; CREATE TABLE pgroll.migrations (schema name NOT NULL, name text NOT NULL,
        migration jsonb NOT NULL, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now(), parent text,
        done boolean NOT NULL DEFAULT false, resulting_schema jsonb NOT NULL DEFAULT '{{}}',
        migration_type varchar(32) DEFAULT 'pgroll', PRIMARY KEY (schema, name))""",
        """INSERT INTO pgroll.migrations (schema, name, migration, parent, done)
        VALUES ('public', 'step{n}', '{{}}', (SELECT max(name) FROM pgroll.migrations), true)""",
        broken="""INSERT INTO pgroll.migrations (schema, name, migration, parent, done)
        VALUES ('public', 'step{n}', '{{}}', (SELECT max(name) FROM pgroll.migrations), false)""",
    ),
    Book(
        "Reshape",
        """CREATE SCHEMA reshape; CREATE TABLE reshape.migrations (index int PRIMARY KEY, name text NOT NULL,
        description text, actions json NOT NULL, completed_at timestamp DEFAULT now());
        CREATE TABLE reshape.data (key text PRIMARY KEY, value json);
        INSERT INTO reshape.data VALUES ('state', '{{"state": "Idle"}}')""",
        "INSERT INTO reshape.migrations VALUES ({n}, 'step{n}', NULL, '[]')",
        locked="""UPDATE reshape.data SET value = '{{"state": "Migrating"}}'""",
    ),
    Book(
        "graphile-migrate",
        """CREATE SCHEMA graphile_migrate; CREATE TABLE graphile_migrate.current (
        filename text NOT NULL DEFAULT 'current.sql' PRIMARY KEY, content text NOT NULL,
        date timestamptz NOT NULL DEFAULT now());
        CREATE TABLE graphile_migrate.migrations (hash text PRIMARY KEY,
        previous_hash text REFERENCES graphile_migrate.migrations, filename text NOT NULL,
        date timestamptz NOT NULL DEFAULT now())""",
        """INSERT INTO graphile_migrate.migrations VALUES ('sha1:005c6eb7364156e6b0d158d8b2767a24f1ce661{n}',
        (SELECT hash FROM graphile_migrate.migrations ORDER BY filename DESC LIMIT 1), '00000{n}.sql')""",
        made_by="npm graphile-migrate 1.4.1",
    ),
)
