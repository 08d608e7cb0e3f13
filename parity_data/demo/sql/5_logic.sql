-- Functions, views, triggers, row security, grants and the publication.

create function shop.one_line(a shop.postal_address) returns text
    language sql immutable
    return concat_ws(', ', concat_ws(' ', a.street, a.house), concat_ws(' ', a.postcode, a.city), a.country);

create function shop.spent(customer bigint) returns numeric
    language sql stable
    as $$ select coalesce(sum(total), 0) from shop.orders where customer_id = customer $$;

create function shop.log_change() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    insert into shop.audit_log (actor, action, table_name, row_id, old_row, new_row)
    values (session_user, lower(tg_op), tg_table_name, coalesce(new.id, old.id), to_jsonb(old), to_jsonb(new));
    return coalesce(new, old);
end $$;

create function shop.index_product() returns trigger
    language plpgsql
    as $$
begin
    new.search := to_tsvector('simple', concat_ws(' ', new.sku, new.name, new.description));
    return new;
end $$;

create function shop.remember_ddl() returns event_trigger
    language plpgsql
    as $$ begin perform set_config('shop.last_ddl', tg_tag, false); end $$;

create procedure shop.forget_customer(customer bigint)
    language plpgsql
    as $$
begin
    update shop.customers set email = null, phone = null, deleted_at = now() where id = customer;
end $$;

create view shop.customer_overview with (security_barrier) as
    select c.id, c.full_name, c.email, c.country, count(o.id) as orders, sum(o.total) as spent
    from shop.customers c
    left join shop.orders o on o.customer_id = c.id
    where c.deleted_at is null
    group by c.id;

create view crm.open_tickets as
    select t.id, t.subject, t.opened_at, c.full_name as customer, e.name as agent
    from crm.tickets t
    left join shop.customers c on c.email = t.customer_email::public.citext
    left join crm.employees e on e.login = t.assigned_to
    where t.closed_at is null;

create materialized view shop.sales_by_country as
    select c.country, o.currency, count(*) as orders, sum(o.total) as total
    from shop.orders o
    join shop.customers c on c.id = o.customer_id
    group by c.country, o.currency;
create unique index sales_by_country_key on shop.sales_by_country (country, currency);

create trigger customers_audit after update or delete on shop.customers
    for each row execute function shop.log_change();
create trigger products_search before insert or update on shop.products
    for each row execute function shop.index_product();
create rule audit_log_is_append_only as on delete to shop.audit_log do instead nothing;

do $$
begin
    create role shop_app nologin;
exception when duplicate_object then null;
end $$;
do $$
begin
    create role shop_readonly nologin;
exception when duplicate_object then null;
end $$;

grant usage on schema shop, crm to shop_app, shop_readonly;
grant select, insert, update, delete on all tables in schema shop, crm to shop_app;
grant usage on all sequences in schema shop, crm to shop_app;
grant select on shop.countries, shop.categories, shop.products, shop.sales_by_country to shop_readonly;
grant select (id, country, status, registered_at) on shop.customers to shop_readonly;
revoke all on function shop.spent(bigint) from public;
grant execute on function shop.spent(bigint) to shop_app;
alter default privileges in schema shop grant select on tables to shop_readonly;

alter table crm.tickets enable row level security;
create policy agents_see_their_own on crm.tickets for select to shop_app
    using (assigned_to = current_user or assigned_to is null);
create policy agents_close_their_own on crm.tickets for update to shop_app
    using (assigned_to = current_user) with check (closed_at is not null);
create policy nobody_reads_letters on crm.tickets as restrictive for select to shop_readonly
    using (channel <> 'post');

create publication shop_changes for table shop.products, shop.orders
    with (publish = 'insert, update, delete', publish_via_partition_root = true);

create event trigger remember_ddl on ddl_command_end execute function shop.remember_ddl();
