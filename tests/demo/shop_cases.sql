-- What the demo shop must hold: each query, under its name, gives true.

---- Names and text

-- latin
select count(*) > 100 from shop.customers where full_name ~ '[a-z]';

-- cyrillic
select count(*) > 2 from shop.customers where full_name ~ '[а-я]';

-- greek
select count(*) > 2 from shop.customers where full_name ~ '[α-ω]';

-- arabic
select count(*) > 2 from shop.customers where full_name ~ '[\u0620-\u064A]';

-- hebrew
select count(*) > 2 from shop.customers where full_name ~ '[\u05D0-\u05EA]';

-- han
select count(*) > 2 from shop.customers where full_name ~ '[\u4E00-\u9FFF]';

-- kana
select count(*) > 2 from shop.customers where full_name ~ '[\u3041-\u30FF]';

-- hangul
select count(*) > 2 from shop.customers where full_name ~ '[\uAC00-\uD7A3]';

-- devanagari
select count(*) > 2 from shop.customers where full_name ~ '[\u0905-\u0939]';

-- thai
select count(*) > 2 from shop.customers where full_name ~ '[\u0E01-\u0E2E]';

-- beyond the basic plane
select exists (select from shop.customers where full_name ~ '𠮷');

-- nfc and nfd
select count(*) = 1 from shop.customers a join shop.customers b on a.id <> b.id
    and a.full_name is nfc normalized and b.full_name is not nfc normalized
    and a.full_name = normalize(b.full_name, nfc);

-- emoji with joiners
select exists (select from shop.customers where full_name ~ '👩\u200D');

-- bidi marks
select count(*) >= 2 from shop.customers where full_name ~ '[\u200F\u202B\u2066]';

-- apostrophes
select count(distinct substring(full_name from '[''’]')) = 2 from shop.customers;

-- double spaces
select exists (select from shop.customers where full_name ~ '[^ ]  [^ ]');

-- trailing blanks
select exists (select from shop.customers where full_name ~ '[^ ] +$');

-- line break and tab
select count(*) = 2 from shop.customers where full_name ~ '[\n\t]';

-- backslashes
select exists (select from shop.customers where full_name like '%\\N \\. %');

-- one letter
select exists (select from shop.customers where length(full_name) = 1);

-- two hundred letters
select max(length(full_name)) = 200 from shop.customers;

-- null, empty and the word
select count(*) = 1 from shop.customers a, shop.customers b, shop.customers c
    where a.given_name = 'NULL' and b.id = a.id + 1 and b.given_name = '' and c.id = b.id + 1
    and c.given_name is null;

---- E-mail

-- plus tags
select count(*) > 5 from shop.customers where email ~ '\+.*@';

-- quoted local parts
select exists (select from shop.customers where email ~ '^".* .*"@');

-- upper case
select count(*) > 5 from shop.customers where email::text ~ '^[A-Z.]+[0-9]*@';

-- domains beyond ascii
select count(*) > 2 from shop.customers where email ~ '@.*[^ -~]';

-- punycode
select exists (select from shop.customers where email like '%@xn--%');

-- dots
select count(*) > 2 from shop.customers where email ~ '^(.[.]){3}';

-- no reserved domain
select not exists (select from shop.customers
    where email ~* '[@.](example|test|invalid|localhost)([.](com|net|org))?$');

-- unique whatever the case
select count(distinct lower(email::text)) = count(email) from shop.customers;

---- Shape

-- whale
select count(*) filter (where customer_id = 42) between 0.25 * count(*) and 0.251 * count(*)
    from shop.orders;

-- heavy tail
select max(n) filter (where customer_id <> 42) > 4 * percentile_cont(0.5) within group (order by n)
    from (select customer_id, count(*) n from shop.orders group by 1) f
    where customer_id is not null;

-- customers without orders
select count(*) > 10 from shop.customers c where not exists (select from shop.orders
    where customer_id = c.id);

-- orders of guests
select count(*) between 0.03 * (select count(*) from shop.orders) and 0.05 * (select count(*)
    from shop.orders) from shop.orders where customer_id is null;

-- orders without items
select exists (select from shop.orders o where id > (select min(order_id) from shop.order_items)
    and not exists (select from shop.order_items where order_id = o.id));

-- old code path
select bool_and((status = 'CLOSED_LEGACY') = (placed_on ~ '^\d\d\.\d\d\.\d{4}$'))
    and count(distinct status = 'CLOSED_LEGACY') = 2 from shop.orders
    where placed_at between '2000-01-01' and '2100-01-01';

-- old status codes
select array_agg(distinct status::text) @> '{A,I,active,blocked}' from shop.customers;

---- Dates and numbers

-- odd dates
select array_agg(distinct valid_until) @> '{infinity,-infinity,1900-01-01,9999-12-31}'
    from shop.sensor_readings;

-- odd birth dates
select array_agg(birth_date) @> '{infinity,-infinity,1900-01-01,9999-12-31}' from shop.customers;

-- odd partition keys
select array_agg(placed_at) @> '{infinity,-infinity,1900-01-01 00:00:00+00,9999-12-31 23:59:59.999999+00}'
    from shop.orders_other;

-- not a number
select bool_or(celsius = 'NaN') and bool_or(humidity = 'NaN') and bool_or(exact = 'NaN')
    and bool_or(celsius = '-infinity') and bool_or(exact = 'infinity') from shop.sensor_readings;

-- negative zero
select exists (select from shop.sensor_readings where celsius::text = '-0');

-- thirty digits
select max(length(regexp_replace(exact::text, '\D', '', 'g'))) = 30 from shop.sensor_readings;

---- Keys

-- composite key
select exists (select from pg_constraint where contype = 'f' and cardinality(conkey) = 2);

-- composite key, half null
select count(*) > 2 from shop.payments where order_id is null;

-- self-reference
select count(*) >= 3 from pg_constraint where contype = 'f' and conrelid = confrelid
    and conparentid = 0;

-- self-reference in a loop
select exists (select from shop.categories a join shop.categories b on a.parent_id = b.id
    and b.parent_id = a.id);

-- cyclic keys
select count(*) >= 4 from pg_constraint a join pg_constraint b on a.contype = 'f'
    and b.contype = 'f' and a.conrelid = b.confrelid and a.confrelid = b.conrelid
    and a.conrelid <> b.conrelid;

-- cyclic keys, in use
select count(*) > 50 from shop.customers c join shop.addresses a on a.id = c.default_address_id
    and a.customer_id = c.id;

-- key to a unique column
select count(*) = 2 from pg_constraint f join pg_constraint u on u.conrelid = f.confrelid
    and u.conkey = f.confkey and u.contype = 'u' where f.contype = 'f';

-- match full
select exists (select from pg_constraint where contype = 'f' and confmatchtype = 'f');

-- not valid
select not convalidated from pg_constraint where conname = 'reviews_product_id_fkey';

-- orphans
select count(*) between 1 and 0.1 * (select count(*) from shop.reviews) from shop.reviews r
    where not exists (select from shop.products where id = r.product_id);

-- polymorphic
select count(distinct subject_type) = 4 from crm.notes;

-- polymorphic, resolves
select bool_and(exists (select from shop.customers where id = subject_id)) from crm.notes
    where subject_type = 'customer';

-- e-mail as key
select count(*) > 50 from crm.tickets t join shop.customers c on c.email = t.customer_email::citext;

-- login as key
select count(*) > 10 from shop.sessions s join shop.customers c on c.login = s.login::citext;

-- no key, duplicate rows
select not exists (select from pg_index where indrelid = 'crm.newsletter_signups'::regclass)
    and (select max(n) = 3 from (select count(*) n from crm.newsletter_signups s group by s.*) d);

---- Tables

-- two dozen tables
select count(*) >= 20 from pg_class c join pg_namespace n on n.oid = relnamespace
    where relkind in ('r', 'p') and not relispartition and nspname in ('shop', 'crm', 'Legacy ERP');

-- partitions
select count(*) = 5 and count(*) filter (where pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT') = 1
    from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = 'shop.orders'::regclass;

-- rows in every partition
select count(distinct tableoid) = 5 from shop.orders;

-- inheritance
select (select count(*) from only crm.parties) > 0 and (select count(*)
    from crm.parties) > (select count(*) from only crm.parties) + (select count(*)
    from only crm.persons);

-- flags
select count(*) > 3 from shop.flags;

-- migration head
select count(*) = 1 from public.alembic_version;

---- Columns

-- generated
select count(*) = 3 from pg_attribute where attgenerated = 's';

-- identity
select array_agg(distinct attidentity::text order by attidentity::text) = '{"",a,d}'
    from pg_attribute;

-- whole json
select exists (select from shop.customers where preferences #>> '{contact,email}' = email::text
    and preferences #>> '{contact,emergency,name}' is not null);

---- Free text

-- notes name customers
select count(*) > 5 from crm.notes n join shop.customers c on c.id = n.subject_id
    and n.subject_type = 'customer' and position(c.full_name in n.body) > 0;

-- notes repeat phones
select count(*) > 2 from crm.notes n join shop.customers c on c.id = n.subject_id
    and n.subject_type = 'customer' and length(c.phone) > 6 and position(c.phone in n.body) > 0;

-- tickets repeat e-mails
select count(*) > 5 from crm.tickets t join shop.customers c on c.email = t.customer_email::citext
    and position(c.email::text in t.body) > 0;

-- audit log repeats rows
select count(*) > 5 from shop.audit_log l join shop.customers c on c.id = l.row_id
    and l.new_row ->> 'full_name' = c.full_name and l.new_row ->> 'email' = c.email::text;

---- Identifiers

-- luhn
select bool_and(luhn = 0) and count(*) > 50
    from (select (select sum(case when i % 2 = 1 then (2 * d) / 10 + (2 * d) % 10 else d end) % 10
    from (select i, substr(card_number, i, 1)::int d from generate_series(1, 16) i) x) luhn
    from shop.payments where card_number is not null) y;

-- iban
select count(*) > 20
    and bool_and((substr(iban, 5) || (ascii(iban) - 55) || (ascii(substr(iban, 2)) - 55) || substr(iban, 3, 2))::numeric % 97 = 1)
    from shop.payments where iban is not null;

-- dni
select count(*) > 2
    and bool_and(substr('TRWAGMYFPDXBNJZSQVHLCKE', left(national_id, 8)::int % 23 + 1, 1) = right(national_id, 1))
    from shop.customers where country = 'ES' and national_id is not null;

-- pesel
select count(*) > 2 and bool_and(total % 10 = 0)
    from (select (select sum(substr(national_id, i, 1)::int * substr('13791379131', i, 1)::int)
    from generate_series(1, 11) i) total from shop.customers where country = 'PL'
    and national_id is not null) x;

-- phones
select count(distinct regexp_replace(phone, '\d', '9', 'g')) > 12 from shop.customers;

-- addresses of the network
select count(distinct family(last_ip)) = 2 from shop.customers;

-- hashes
select bool_and(password_hash ~ '^\$2b\$12\$.{53}$') from shop.customers;

---- Catalogue

-- views
select count(*) = 2 from pg_views where schemaname in ('shop', 'crm');

-- materialised view
select count(*) > 5 from shop.sales_by_country;

-- functions
select array_agg(distinct l.lanname::text) @> '{sql,plpgsql}' from pg_proc p join pg_language l
    on l.oid = prolang where pronamespace = 'shop'::regnamespace;

-- triggers
select count(*) = 2 from pg_trigger where not tgisinternal;

-- rules
select exists (select from pg_rules where schemaname = 'shop');

-- row security
select relrowsecurity and (select count(*) = 3 from pg_policies) from pg_class
    where oid = 'crm.tickets'::regclass;

-- grants
select count(distinct grantee) = 2 from information_schema.role_table_grants
    where grantee in ('shop_app', 'shop_readonly');

-- grants on columns
select exists (select from pg_attribute where attacl is not null);

-- roles cannot log in
select count(*) = 2 from pg_roles where rolname in ('shop_app', 'shop_readonly') and not rolcanlogin;

-- default privileges
select exists (select from pg_default_acl);

-- comments
select count(*) > 40 from pg_description where classoid = 'pg_class'::regclass and objoid >= 16384
    and objoid not in (select objid from pg_depend where deptype = 'e');

-- event trigger
select count(*) = 1 from pg_event_trigger;

-- publication
select count(*) = 2 from pg_publication_tables;

-- sequences past the data
select count(*) = 2 and bool_and(last_value > m + 2) from pg_sequences
    join (values ('customers_id_seq', (select max(id)
    from shop.customers)), ('party_ids', (select max(id) from crm.parties))) v (s, m)
    on sequencename = s;

-- statistics
select exists (select from pg_statistic_ext);

-- partial index
select exists (select from pg_index where indpred is not null);

-- expression index
select exists (select from pg_index where indexprs is not null);

-- exclusion
select exists (select from pg_constraint where contype = 'x');

-- checks
select count(*) > 8 from pg_constraint where contype = 'c' and conrelid > 0;

-- deferrable
select exists (select from pg_constraint where condeferred);

-- database settings
select current_setting('TimeZone') = 'Europe/Berlin' and current_setting('shop.region') = 'eu-1';

-- hostile names
select count(*) = 2 from pg_class c join pg_namespace n on n.oid = relnamespace where nspname ~ ' '
    and relkind = 'r' and relname ~ '("|^order$)';

-- hostile columns
select array_agg(attname::text) @> array['select', 'order', 'user''s phone', 'Nr.', '%s']
    and max(octet_length(attname)) = 63 from pg_attribute
    where attrelid = '"Legacy ERP"."Kunden ""Alt"" 🎁"'::regclass;
