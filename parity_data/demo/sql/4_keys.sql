-- Keys, checks and indexes, made once the rows are in.

alter table shop.countries add primary key (code);
alter table shop.customers
    add primary key (id),
    add constraint customers_public_id_key unique (public_id),
    add constraint customers_email_key unique (email),
    add constraint customers_login_key unique (login),
    add constraint customers_balance_needs_status check (balance = 0 or status <> 'deleted'),
    add constraint customers_language check (language ~ '^[a-z]{2}(-[A-Z]{2})?$');
alter table shop.addresses add primary key (id);
alter table shop.categories add primary key (id);
alter table shop.products
    add primary key (id),
    add constraint products_sku_key unique (sku),
    add constraint products_price_positive check (price > 0);
alter table shop.orders
    add primary key (id, placed_at),
    add constraint orders_guest_or_customer check (customer_id is null or guest_email is null);
alter table shop.order_items
    add primary key (order_id, line_no),
    add constraint order_items_quantity check (quantity between 1 and 10000);
alter table shop.payments
    add primary key (id),
    add constraint payments_one_means check (card_number is null or iban is null),
    add constraint payments_card check (card_number ~ '^[0-9]{13,19}$');
alter table shop.reviews
    add primary key (id),
    add constraint reviews_rating check (rating between 1 and 5);
alter table shop.sessions add primary key (id);
alter table shop.bookings
    add primary key (id),
    add constraint one_van_one_place exclude using gist (van with =, during with &&);
alter table shop.sensor_readings add primary key (id);
alter table shop.flags
    add primary key (name),
    add check (rollout_percent between 0 and 100);
alter table shop.audit_log add primary key (id);
alter table public.alembic_version add constraint alembic_version_pkc primary key (version_num);

alter table crm.departments add primary key (id);
alter table crm.employees
    add primary key (id),
    add constraint employees_login_key unique (login);
alter table crm.parties add primary key (id);
alter table crm.persons add primary key (id);
alter table crm.companies add primary key (id);
alter table crm.tickets add primary key (id);
alter table crm.notes
    add primary key (id),
    add constraint notes_subject check (subject_type in ('customer', 'order', 'ticket', 'employee'));
alter table "Legacy ERP"."Kunden ""Alt"" 🎁" add primary key ("Nr.");
alter table "Legacy ERP"."order" add primary key ("from", "Nr.");

alter table shop.customers
    add foreign key (country) references shop.countries,
    add foreign key (referrer_id) references shop.customers on delete set null;
alter table shop.addresses
    add foreign key (customer_id) references shop.customers on delete cascade deferrable;
alter table shop.customers
    add foreign key (default_address_id) references shop.addresses deferrable initially deferred;
alter table shop.categories add foreign key (parent_id) references shop.categories;
alter table shop.products
    add foreign key (category_id) references shop.categories,
    add foreign key (supplier_id) references crm.companies;
alter table shop.orders add foreign key (customer_id) references shop.customers;
alter table shop.order_items
    add foreign key (order_id, placed_at) references shop.orders (id, placed_at) on delete cascade,
    add foreign key (sku) references shop.products (sku) on update cascade;
alter table shop.payments
    add foreign key (order_id, placed_at) references shop.orders (id, placed_at);
alter table shop.reviews
    add foreign key (customer_id) references shop.customers on delete set null,
    add foreign key (product_id) references shop.products not valid;
alter table shop.bookings add foreign key (customer_id) references shop.customers;
alter table crm.employees
    add foreign key (manager_id) references crm.employees,
    add foreign key (department_id) references crm.departments;
alter table crm.departments
    add foreign key (head_id) references crm.employees deferrable initially deferred;
alter table crm.tickets add foreign key (assigned_to) references crm.employees (login);
alter table crm.persons add foreign key (works_for) references crm.companies;
alter table "Legacy ERP"."order"
    add foreign key ("Kunde") references "Legacy ERP"."Kunden ""Alt"" 🎁" ("Nr.") match full;

create index customers_lower_name on shop.customers (lower(full_name));
create index customers_search on shop.customers using gin (search);
create index customers_name_trgm on shop.customers using gin (full_name public.gin_trgm_ops);
create index customers_country on shop.customers (country) include (status);
create index customers_birthday on shop.customers (extract(month from birth_date), extract(day from birth_date));
create index addresses_customer on shop.addresses (customer_id);
create index orders_customer on shop.orders (customer_id);
create index orders_open on shop.orders (placed_at) where status in ('placed', 'paid');
create index order_items_sku on shop.order_items (sku);
create index payments_order on shop.payments (order_id);
create index reviews_product on shop.reviews (product_id);
create index tickets_email on crm.tickets (lower(customer_email));
create index notes_subject_index on crm.notes (subject_type, subject_id);
create index audit_log_new_row on shop.audit_log using gin (new_row jsonb_path_ops);

create statistics shop.orders_status_channel (dependencies, ndistinct, mcv)
    on status, channel from shop.orders;
alter table shop.customers alter column country set statistics 500;
alter table shop.customers set (fillfactor = 90);
