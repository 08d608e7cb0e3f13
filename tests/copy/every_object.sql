-- One of every kind of object that pg_dump knows, on PostgreSQL 15 and newer; made by a superuser.
-- Roles: obj_owner, obj_reader, obj_writer.
create schema app authorization obj_owner;
create schema "Weird ""Schema"" %s";
create schema ext;
comment on schema app is 'it''s $1 %s';
comment on schema public is 'changed comment';
revoke create on schema public from public;
grant usage on schema app to obj_reader with grant option;

-- extensions: trusted or not, in schemas of their own, one needing another
create extension hstore schema ext;
create extension citext schema ext;
create extension cube schema ext;
create extension earthdistance schema ext;
create extension btree_gist;
create extension pg_trgm;
create extension postgres_fdw;
create extension file_fdw;
comment on extension hstore is 'another comment';

-- types
create type app.mood as enum ('sad', 'happy');
alter type app.mood add value 'so so' before 'happy';
create type app.pair as (a int, b app.mood, "C d" text collate "C");
comment on column app.pair.a is 'of a composite';
create domain app.email as text collate "C" default 'x@example.com' not null
    constraint has_at check (value ~ '@');
alter domain app.email add constraint short check (length(value) < 300) not valid;
comment on constraint short on domain app.email is 'of a domain';
create type app.floats as range (subtype = float8, subtype_diff = float8mi, multirange_type_name = app.many);
create type app.shell;
create type app.own;
create function app.own_in(cstring) returns app.own language internal immutable strict as 'textin';
create function app.own_out(app.own) returns cstring language internal immutable strict as 'textout';
create function app.own_send(app.own) returns bytea language internal immutable strict as 'textsend';
create function app.own_recv(internal) returns app.own language internal immutable strict as 'textrecv';
create type app.own (input = app.own_in, output = app.own_out, send = app.own_send, receive = app.own_recv,
    like = text, category = 'S', default = 'none');
comment on type app.own is 'a base type';
grant usage on type app.own to obj_reader;
revoke usage on type app.mood from public;

-- collations and conversions
create collation app.german (provider = libc, locale = 'C.UTF-8');
create collation app.plain (provider = libc, lc_collate = 'C', lc_ctype = 'C');
create conversion app.latin for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;

-- functions, procedures, aggregates, languages, transforms
create function app.handler() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create function app.inline(internal) returns void language c as '$libdir/plpgsql', 'plpgsql_inline_handler';
create function app.validator(oid) returns void language c as '$libdir/plpgsql', 'plpgsql_validator';
create trusted language plmine handler app.handler inline app.inline validator app.validator;
grant usage on language plmine to obj_reader;
create function app.mine() returns int language plmine as 'begin return 1; end';
create function app.one(x int, variadic rest int[] default '{}') returns int language sql immutable
    as 'select x + cardinality(rest)';
create function app.one(x text) returns text language sql stable return x || '1';
create function app.atomic(x int) returns setof int language sql begin atomic select x; select x + 1; end;
create function app.many_out(out a int, out b text) language plpgsql cost 7 parallel safe
    set work_mem = '4MB' set search_path = app, "Weird ""Schema"" %s", pg_temp as $x$ begin a := 1; b := '$$'; end $x$;
create function app.secret() returns text language plpgsql security definer leakproof strict
    as $$ begin return 'x'; end $$;
create function app.rows() returns table (id int, t text) language sql rows 5 as $$ select 1, 'x' $$;
create procedure app.work(inout x int) language plpgsql as $$ begin x := x + 1; end $$;
create function app."Odd ""name"" %s $1"() returns int language sql as 'select 1';
revoke execute on function app.secret() from public;
grant execute on function app.secret() to obj_reader;
grant execute on all procedures in schema app to obj_writer;
alter function app.one(text) owner to obj_owner;
create aggregate app.total(int) (sfunc = int4pl, stype = int, initcond = '0', combinefunc = int4pl, parallel = safe);
create aggregate app.moving(float8) (sfunc = float8pl, stype = float8, msfunc = float8pl, minvfunc = float8mi,
    mstype = float8);
create aggregate app.middle(float8 order by anyelement) (sfunc = ordered_set_transition, stype = internal,
    finalfunc = percentile_disc_final, finalfunc_extra);
create transform for int language sql (from sql with function prsd_lextype(internal),
    to sql with function int4recv(internal));

-- operators, families, classes, casts, access methods
create function app.near(int, int) returns bool language sql immutable as 'select abs($1 - $2) < 2';
create operator app.=~= (leftarg = int, rightarg = int, function = app.near, commutator = operator(app.=~=),
    restrict = eqsel, join = eqjoinsel);
create function app.louder(app.mood) returns text language sql immutable return $1 || '!';
create operator app.!! (rightarg = app.mood, function = app.louder);
create operator family app.family using btree;
create operator class app.backwards for type int using btree family app.family as
    operator 1 >, operator 2 >=, operator 3 =, operator 4 <=, operator 5 <, function 1 btint4cmp(int, int);
alter operator family app.family using btree add operator 1 > (int, bigint);
create function app.to_mood(int) returns app.mood language sql immutable as $$ select 'sad'::app.mood $$;
create cast (int as app.mood) with function app.to_mood(int) as assignment;
create cast (app.pair as text) with inout;
create cast (app.own as text) without function as implicit;
create access method heap_too type table handler heap_tableam_handler;
comment on access method heap_too is 'the same by another name';

-- text search
create text search parser app.words (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end,
    lextypes = prsd_lextype, headline = prsd_headline);
create text search template app.simple_too (init = dsimple_init, lexize = dsimple_lexize);
create text search dictionary app.dict (template = app.simple_too, stopwords = 'english');
create text search configuration app.conf (parser = app.words);
alter text search configuration app.conf add mapping for word, asciiword with app.dict, simple;
comment on text search configuration app.conf is 'for search';

-- tables of all sorts
set search_path = app;
create sequence app.numbers as smallint increment -3 minvalue -1000 maxvalue 50 start 49 cache 4 cycle;
create unlogged sequence app.volatile;
grant usage on sequence app.numbers to obj_writer;
select nextval('app.numbers'), nextval('app.numbers');
create table app.customers (
    id bigint generated always as identity (start 100 increment 5),
    legacy int generated by default as identity,
    serial_no serial,
    gone text,
    mail app.email,
    mood app.mood default 'so so',
    "select" text collate app.german not null,
    tags text[] default array['a', 'it''s'],
    props ext.hstore,
    doubled int generated always as (legacy * 2) stored,
    pair app.pair default row(1, 'sad', 'x'),
    own app.own,
    born date default date '2001-02-03' + 1,
    body text,
    constraint customers_pk primary key (id) include (legacy) with (fillfactor = 90),
    constraint mail_once unique (mail) deferrable initially deferred,
    constraint nothing_twice unique nulls not distinct (legacy),
    constraint grown check (born < '2020-01-01') no inherit
) with (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off, parallel_workers = 3);
alter table app.customers drop column gone;
alter table app.customers add constraint late check (legacy > -5) not valid;
alter table app.customers alter column body set storage external, alter column tags set compression pglz,
    alter column mood set statistics 77, alter column born set (n_distinct = -0.5, n_distinct_inherited = 9);
alter table app.customers owner to obj_owner;
alter table app.customers replica identity using index customers_pk;
comment on table app.customers is E'two\nlines; and a \\ backslash';
comment on column app.customers.mail is 'of a column';
comment on constraint late on app.customers is 'of a constraint';
grant select on app.customers to obj_reader with grant option;
grant insert (mood), update (mood, born) on app.customers to obj_writer;
grant select on app.customers to public;
create table app.none ();
create table app.computed (x int generated always as (1 + 1) stored);
insert into app.computed select from generate_series(1, 3);
insert into app.none default values;
insert into app.none default values;
create unlogged table app.scratch (x int primary key) with (autovacuum_vacuum_scale_factor = 0.5);
create table app.typed of app.pair (a primary key, b with options default 'sad');
create table app.other_heap (x int) using heap_too;
create table "Weird ""Schema"" %s"."Table.with ""all"" %s $1" ("Col ""x""" int primary key, "select" text, "🎁" int,
    "drop table" int references "Weird ""Schema"" %s"."Table.with ""all"" %s $1");
create table app.a (id int primary key, b_id int);
create table app.b (id int primary key, a_id int references app.a deferrable initially deferred);
alter table app.a add foreign key (b_id) references app.b not valid;
create table app.lines (a int, b int, c int, customer bigint,
    primary key (a, b),
    constraint up foreign key (a, c) references app.lines match full on update cascade on delete set null (c),
    constraint who foreign key (customer) references app.customers on delete set default deferrable);
alter table app.lines alter constraint who not deferrable;
create table app.bookings (room int, during tsrange, exclude using gist (room with =, during with &&)
    where (room > 0) deferrable);
create table app.replicated_full (x int); alter table app.replicated_full replica identity full;
create table app.replicated_not (x int); alter table app.replicated_not replica identity nothing;

-- inheritance and partitions, attached out of order
create table app.base (x int default 1, y text, constraint positive check (x > 0));
create table app.base2 (z int not null default 3);
create table app.child (y text default 'child', w int) inherits (app.base, app.base2);
alter table app.child alter column x set default 7, alter column z drop default;
create table app.grandchild () inherits (app.child);
alter table app.grandchild no inherit app.child;
create table app.events (id int, at date not null, kind text, payload jsonb, mood app.mood,
    primary key (id, at)) partition by range (at);
create table app.events_2023 (payload jsonb, kind text, mood app.mood, id int not null, at date not null);
create table app.events_rest partition of app.events default partition by range (at);
create table app.events_old partition of app.events_rest for values from (minvalue) to ('2022-01-01');
create table app.events_other partition of app.events_rest default;
create table app.events_2022 partition of app.events (kind default 'old', check (id > -1))
    for values from ('2022-01-01') to ('2023-01-01') with (fillfactor = 60);
alter table app.events attach partition app.events_2023 for values from ('2023-01-01') to ('2024-01-01');
create index on app.events (kind);
create index events_by_mood on only app.events (mood);
create table app.hashed (id bigint, word text) partition by hash (id);
create table app.hashed_1 partition of app.hashed for values with (modulus 2, remainder 1);
create table app.hashed_0 partition of app.hashed for values with (modulus 2, remainder 0);
create table app.by_expression (t text, n int) partition by range (lower(t) collate "C", n);
create table app.by_expression_1 partition of app.by_expression for values from (minvalue, minvalue) to ('m', 0);
create table app.by_expression_2 partition of app.by_expression for values from ('m', 0) to (maxvalue, maxvalue);
create table app.event_notes (event_id int, event_at date, note text,
    foreign key (event_id, event_at) references app.events);
alter table app.events detach partition app.events_2022;

-- indexes and statistics
create index by_mood on app.customers using btree (mood desc nulls last, (lower("select")) text_pattern_ops)
    include (born) where mood <> 'sad';
create index by_words on app.customers using gin ("select" public.gin_trgm_ops) with (fastupdate = off);
create index by_range on app.bookings using spgist (during);
create index by_block on app.customers using brin (born) with (pages_per_range = 4, autosummarize = on);
create index by_hash on app.customers using hash (body);
create index by_own_class on app.lines (c app.backwards);
create unique index partial_once on app.customers (serial_no) where serial_no > 10;
alter index app.by_mood alter column 2 set statistics 200;
alter table app.customers cluster on customers_pk;
comment on index app.by_mood is 'of an index';
create statistics app.related (dependencies, mcv, ndistinct) on mood, born, (legacy % 3) from app.customers;
alter statistics app.related set statistics 50;
comment on statistics app.related is 'of statistics';

-- views, materialised ones, rules
create view app.happy with (security_barrier = true) as
    select c.id, c.mood, o.total from app.customers c join (select count(*) as total from app.lines) o on true;
create view app.checked as select * from app.lines l where l.a > 0 with cascaded check option;
create view app.invoked with (security_invoker = true) as values (1, 'x'), (2, 'y');
create recursive view app.tree (n) as select 1 union all select n + 1 from tree where n < 5;
create view app.grouped as select l.a, l.b, l.c, count(*) from app.lines l join app.a on app.a.id = l.a
    group by l.a, l.b;
alter view app.happy alter column total set default 5;
create materialized view app.totals with (fillfactor = 80) as
    select c.mood, count(*) as n from app.customers c join app.lines l on true group by c.mood;
create unique index totals_by_mood on app.totals (mood);
create materialized view app.over_totals as select sum(t.n) as n, (select count(*) from app.none) as m
    from app.totals t;
create materialized view app.empty_one as select 1 as x with no data;
comment on materialized view app.totals is 'of a materialised view';
create rule quiet as on delete to app.base do instead nothing;
create rule loud as on insert to app.lines where new.a < 0 do also update app.a set b_id = 1;
create rule told as on delete to app.a do also notify lines;
alter table app.lines disable rule loud;
create rule at_all as on update to app.happy do instead update app.customers set mood = new.mood where id = new.id;

-- triggers: all of them would spoil rows that are loaded
create table app.spoiled (at timestamptz default now());
create function app.spoil() returns trigger language plpgsql as $$
begin insert into app.spoiled default values; new.mood := 'sad'; return new; end $$;
create function app.raise() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
create function app.look() returns trigger language plpgsql as $$ begin return null; end $$;
create function app.view_row() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger spoil before insert or update of mood on app.customers for each row
    when (new.legacy is not null) execute function app.spoil('a', 'it''s');
create trigger off before insert on app.customers for each statement execute function app.raise();
create trigger replica after delete on app.customers for each statement execute function app.look();
create trigger always after truncate on app.customers for each statement execute function app.look();
alter table app.customers disable trigger off, enable replica trigger replica, enable always trigger always;
create trigger changes after update on app.lines referencing old table as before new table as after
    for each statement execute function app.look();
create constraint trigger later after insert on app.lines from app.a deferrable initially deferred
    for each row execute function app.look();
create trigger in_view instead of insert on app.happy for each row execute function app.view_row();
create trigger in_parts after insert on app.events for each row execute function app.look();
alter table app.events_2023 disable trigger in_parts;
comment on trigger spoil on app.customers is 'of a trigger';
create function app.on_ddl() returns event_trigger language plpgsql as $$
begin insert into app.spoiled default values; end $$;
create event trigger watch on ddl_command_end when tag in ('CREATE TABLE', 'REFRESH MATERIALIZED VIEW')
    execute function app.on_ddl();
create event trigger idle on sql_drop execute function app.on_ddl();
alter event trigger idle disable;
comment on event trigger watch is 'of an event trigger';

-- row security
alter table app.customers enable row level security, force row level security;
create policy own on app.customers as restrictive for update to obj_reader, obj_writer
    using (mood = 'sad') with check (id > 0);
create policy everybody on app.customers for select using (true);
comment on policy own on app.customers is 'of a policy';

-- foreign data, replication
create foreign data wrapper nowhere options (debug 'true');
grant usage on foreign data wrapper nowhere to obj_writer;
create server elsewhere type 'x' version '1' foreign data wrapper postgres_fdw options (host 'db.invalid', port '1');
create server files foreign data wrapper file_fdw;
create user mapping for obj_reader server elsewhere options (user 'u', password 'never copied');
create user mapping for public server elsewhere options (user 'u', password 'never copied');
create foreign table app.far (a int options (column_name 'z'), b text not null default 'x')
    server elsewhere options (schema_name 's', table_name 't');
create table app.mixed (at date, x int) partition by range (at);
create foreign table app.mixed_far partition of app.mixed for values from ('2010-01-01') to ('2011-01-01')
    server elsewhere;
create table app.mixed_near partition of app.mixed for values from ('2011-01-01') to ('2012-01-01');
grant usage on foreign server elsewhere to obj_reader;
comment on server elsewhere is 'of a server';
create publication part_of_it for table app.customers (id, mail) where (id > 10), app.lines
    with (publish = 'insert, update', publish_via_partition_root = true);
create publication in_schema for tables in schema app;
create publication everything for all tables;
comment on publication part_of_it is 'of a publication';
create subscription pulled connection 'host=db.invalid password=never_copied' publication part_of_it
    with (connect = false, slot_name = none);

comment on subscription pulled is 'not to come along';

-- default privileges
alter default privileges for role obj_owner in schema app grant select on tables to obj_reader;
alter default privileges for role obj_owner revoke execute on functions from public;
alter default privileges grant usage, update on sequences to obj_writer with grant option;
alter default privileges for role obj_owner grant usage on schemas to obj_reader;
alter default privileges for role obj_owner revoke usage on types from public;

-- rows
set session_replication_role = replica;
insert into app.customers (mail, mood, "select", props, own, body)
    select i || '@example.org', (array['sad', 'so so', 'happy'])[1 + i % 3]::app.mood, 'n' || i, 'a=>1', 'o' || i,
           repeat('x', i * 50) from generate_series(1, 200) i;
insert into app.events select i, date '2021-06-01' + i * 7, (array['odd', 'even', null])[1 + i % 3], '{"a": 1}', 'sad'
    from generate_series(1, 150) i;
insert into app.events_2022 values (1, '2022-03-03', 'old', '{}', 'happy');
insert into app.hashed select i, 'w' || i from generate_series(1, 50) i;
insert into app.by_expression select chr(97 + i % 26), i from generate_series(0, 50) i;
insert into app.event_notes select id, at, 'n' from app.events where id % 2 = 0;
insert into app.event_notes values (null, '2020-01-01', 'half a key');
insert into app.mixed values ('2011-05-05', 5);
insert into app.base values (1, 'b');
insert into app.child (y, z) values ('c', 4);
insert into app.grandchild values (9, 'g', 1, 2);
insert into app.a values (1, 1), (2, 77);
insert into app.b values (1, 2);
insert into app.lines values (1, 1, 1, 105), (1, 2, 1, null), (3, 1, 1, null);
insert into app.typed values (1, 'sad', 'x');
insert into app.other_heap values (1), (null);
insert into app.bookings values (1, '[2020-01-01,2020-01-02)'), (0, 'empty');
insert into app.scratch values (5);
insert into "Weird ""Schema"" %s"."Table.with ""all"" %s $1" values (1, 'x', 2, 1);
insert into app.replicated_full values (1);
set session_replication_role = origin;
refresh materialized view app.totals;
refresh materialized view app.over_totals;
truncate app.spoiled;
select nextval('app.volatile') from generate_series(1, 7);
select setval('app.customers_legacy_seq', 900, false);
select lo_from_bytea(4242, 'a large object'), lo_from_bytea(4243, repeat('xyz', 3000)::bytea);
comment on large object 4242 is 'of a large object';
grant select on large object 4242 to obj_reader;
