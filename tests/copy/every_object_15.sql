-- What the embedded PostgreSQL 18 was built without.
create collation app.blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create collation app.by_language (provider = icu, locale = 'de');
create table app.compressed (x text compression lz4, y text collate app.blind primary key);
insert into app.compressed values ('x', 'Y');
