-- What the team wrote about its tables.

comment on table shop.customers is 'One row per customer account. Deleted accounts keep their row (deleted_at).';
comment on column shop.customers.public_id is 'The id that partners see.';
comment on column shop.customers.email is 'Login and contact address. NULL for customers who order by phone.';
comment on column shop.customers.login is 'User name of accounts made before 2020.';
comment on column shop.customers.password_hash is 'bcrypt';
comment on column shop.customers.full_name is 'As the customer typed it. Never trimmed.';
comment on column shop.customers.sort_name is 'FAMILY, Given - for printed lists';
comment on column shop.customers.phone is 'PII! any format';
comment on column shop.customers.national_id is 'DNI (ES), PESEL (PL), SSN (US). Needed for customs.';
comment on column shop.customers.preferences is
    'Settings page as JSON; also holds the emergency contact of the delivery app.';
comment on column shop.customers.attributes is 'Whatever marketing asked for. Don''t rely on keys.';
comment on column shop.customers.status is 'active, blocked, deleted. A/I: rows of the old shop, see SHOP-212.';
comment on column shop.customers.remarks is 'Free text by the call centre';
comment on table shop.addresses is 'Delivery and billing addresses. History is kept in valid_during.';
comment on column shop.addresses.lines is 'The same address as label lines';
comment on column shop.addresses.location is 'longitude, latitude';
comment on table shop.products is 'The catalogue, including what is no longer sold.';
comment on column shop.products.net_weight_kg is 'From the scales'' controller, full precision';
comment on table shop.orders is 'All orders since 2019, one partition per year since 2022.';
comment on column shop.orders.placed_on is
    'Date as text. ISO since June 2021; DD.MM.YYYY before (old shop). Use placed_at.';
comment on column shop.orders.guest_email is 'Orders without an account. May belong to a customer all the same.';
comment on table shop.order_items is 'Items of recent orders; older ones are in the archive.';
comment on table shop.payments is 'One row per attempt. Deposits have no order.';
comment on column shop.payments.card_number is 'TODO tokenise (audit finding 2023-04)';
comment on column shop.payments.response is 'Answer of the payment provider, verbatim';
comment on column shop.reviews.product_id is 'Products deleted before 2020 are gone; their reviews stay.';
comment on table shop.sessions is 'Web sessions. login refers to customers.login, without a foreign key.';
comment on table shop.flags is 'Feature flags, edited in the admin pages.';
comment on table shop.audit_log is 'Written by trigger and by the admin pages. Append only.';
comment on column shop.audit_log.new_row is 'The whole row, so also names, e-mails and phones';
comment on table shop.sensor_readings is 'Cold-chain sensors. NaN: sensor answered, but with garbage.';
comment on table crm.employees is 'Staff of customer care and warehouse';
comment on column crm.employees.salary is 'confidential';
comment on table crm.parties is 'Contacts that are not customers';
comment on table crm.tickets is 'Customer care tickets. Found by e-mail: tickets predate accounts.';
comment on column crm.tickets.customer_email is 'Same as shop.customers.email, most of the time';
comment on column crm.tickets.assigned_to is 'login of the agent';
comment on table crm.notes is 'Notes on anything: subject_type names the table, subject_id the row.';
comment on table crm.newsletter_signups is 'Raw sign-ups from the landing pages; people click twice.';
comment on table "Legacy ERP"."Kunden ""Alt"" 🎁" is 'Kundenstamm aus dem Altsystem, Stand 2021-05-31';
comment on column "Legacy ERP"."Kunden ""Alt"" 🎁"."%s" is 'Formatfehler beim Import, bitte nicht löschen';
comment on constraint reviews_product_id_fkey on shop.reviews is 'NOT VALID on purpose';
comment on index shop.orders_open is 'For the picking screen';
comment on function shop.spent(bigint) is 'Lifetime value of a customer in mixed currencies';
