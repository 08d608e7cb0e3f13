-- Schemas, extensions and types of the shop.

create extension if not exists citext with schema public;
create extension if not exists hstore with schema public;
create extension if not exists btree_gist with schema public;
create extension if not exists pg_trgm with schema public;

create schema shop;
create schema crm;
create schema "Legacy ERP";

comment on schema shop is 'Customers, catalogue, orders. Owned by the commerce team.';
comment on schema crm is 'Tickets, notes, contacts, staff. Owned by customer care.';
comment on schema "Legacy ERP" is 'Imported once from the old ERP in 2021; read-only since.';

create type shop.order_status as enum
    ('cart', 'placed', 'paid', 'shipped', 'delivered', 'returned', 'cancelled', 'CLOSED_LEGACY');
create type shop.interest as enum ('books', 'garden', 'music', 'sports', 'kids & toys', 'gıda');
create type crm.channel as enum ('email', 'phone', 'chat', 'post', 'in person');

create domain shop.email_address as public.citext
    constraint looks_like_an_address check (value ~ '^[^[:space:]].*@[^@[:space:]]+$');
create domain shop.country_code as char(2) check (value ~ '^[A-Z]{2}$');
create domain shop.iban as text check (value ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$');
create domain shop.amount as numeric(12, 2) default 0 check (value >= 0);

create type shop.postal_address as (
    street text,
    house text,
    postcode text,
    city text,
    country char(2)
);

create type shop.tolerance as range (subtype = float8, subtype_diff = float8mi);

comment on type shop.postal_address is 'An address as printed on a parcel label.';
comment on type shop.order_status is 'CLOSED_LEGACY: set by the old shop until 2021, never again.';
comment on domain shop.email_address is 'Case-insensitive, so that Ann@x and ann@X are one customer.';
