-- What PostgreSQL 16, 17 and 18 added.
create collation app.built_in (provider = builtin, locale = 'C.UTF-8');
create table app.eighteen (
    id int constraint named_not_null not null no inherit,
    twice int generated always as (id * 2) virtual,
    thrice int generated always as (id * 3) stored,
    room int, valid daterange,
    other int constraint unenforced references app.a not enforced,
    constraint unchecked check (id > 1000) not enforced,
    constraint no_overlap unique (room, valid without overlaps)
);
create table app.rooms (room int, valid daterange, primary key (room, valid without overlaps));
create table app.stays (room int, valid daterange, guest text,
    foreign key (room, period valid) references app.rooms (room, period valid));
alter table app.customers alter column body set storage default;
create publication with_generated for table app.eighteen with (publish_generated_columns = stored);
grant maintain on app.customers to obj_writer;
alter default privileges for role obj_owner grant select on large objects to obj_reader;
create table app.numbered (id bigint generated always as identity, part int) partition by list (part);
create table app.numbered_1 partition of app.numbered for values in (1);
create event trigger at_login on login execute function app.on_ddl();
alter event trigger at_login disable;
insert into app.eighteen (id, room, valid, other) values (1, 1, '[2020-01-01,2020-02-01)', 999), (2, null, null, null);
insert into app.rooms values (1, '[2020-01-01,2021-01-01)');
insert into app.stays values (1, '[2020-02-01,2020-03-01)', 'g');
insert into app.numbered (part) values (1), (1);
alter table app.eighteen add constraint later_not_null not null room not valid;
alter table app.eighteen add constraint later_check check (room > 1000) not valid;
