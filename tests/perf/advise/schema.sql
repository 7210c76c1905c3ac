-- A wholesaler: eight tables in the proportions of the well-known decision-support benchmark. Made
-- by generate_series and hashes, the same each time. Without keys: every index is to be found.
-- psql -v scale=0.1: 600 000 lines of orders.
CREATE FUNCTION pg_temp.pick(stream int, i bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN 1 + (hashint8extended(i, stream) & 9007199254740991) % n;

CREATE TABLE region (r_id int, r_name text);
INSERT INTO region SELECT i, (ARRAY['Africa', 'America', 'Asia', 'Europe', 'Orient'])[i]
  FROM generate_series(1, 5) i;

CREATE TABLE nation (n_id int, n_region int, n_name text);
INSERT INTO nation SELECT i, 1 + i % 5, 'Nation ' || i FROM generate_series(1, 25) i;

CREATE TABLE supplier (s_id int, s_name text, s_nation int, s_balance numeric(9, 2),
                       s_comment text);
INSERT INTO supplier SELECT i, 'Supplier ' || i, pg_temp.pick(1, i, 25),
       pg_temp.pick(2, i, 1000000) / 100.0, repeat('s', 40)
  FROM generate_series(1, (10000 * :scale)::int) i;

CREATE TABLE customer (c_id int, c_name text, c_nation int, c_segment text,
                       c_balance numeric(9, 2), c_phone text, c_comment text);
INSERT INTO customer SELECT i, 'Customer ' || i, pg_temp.pick(3, i, 25),
       (ARRAY['farm', 'home', 'machine', 'office', 'vehicle'])[pg_temp.pick(4, i, 5)],
       pg_temp.pick(5, i, 1100000) / 100.0 - 1000,
       10 + pg_temp.pick(3, i, 25) || '-' || pg_temp.pick(6, i, 9999999), repeat('c', 60)
  FROM generate_series(1, (150000 * :scale)::int) i;

CREATE TABLE part (p_id int, p_name text, p_maker text, p_brand text, p_type text,
                   p_size int, p_container text, p_price numeric(9, 2));
INSERT INTO part SELECT i, 'part ' || md5(i::text), 'Maker ' || pg_temp.pick(7, i, 5),
       'Brand ' || pg_temp.pick(8, i, 25),
       (ARRAY['steel', 'brass', 'copper', 'tin', 'nickel'])[pg_temp.pick(9, i, 5)] || ' '
         || (ARRAY['plated', 'polished', 'brushed'])[pg_temp.pick(10, i, 3)],
       pg_temp.pick(11, i, 50), (ARRAY['box', 'bag', 'can', 'drum'])[pg_temp.pick(12, i, 4)] || ' '
         || (ARRAY['small', 'medium', 'large'])[pg_temp.pick(13, i, 3)],
       900 + pg_temp.pick(14, i, 100000) / 100.0
  FROM generate_series(1, (200000 * :scale)::int) i;

CREATE TABLE partsupp (ps_part int, ps_supplier int, ps_quantity int, ps_cost numeric(9, 2),
                       ps_comment text);
INSERT INTO partsupp SELECT p, 1 + (p + k * (10000 * :scale)::int / 4) % (10000 * :scale)::int,
       pg_temp.pick(15, p * 4 + k, 9999), pg_temp.pick(16, p * 4 + k, 100000) / 100.0,
       repeat('p', 90)
  FROM generate_series(1, (200000 * :scale)::int) p, generate_series(0, 3) k;

CREATE TABLE orders (o_id int, o_customer int, o_status text, o_total numeric(12, 2),
                     o_date date, o_priority text, o_clerk text, o_comment text);
INSERT INTO orders SELECT i, pg_temp.pick(17, i, (150000 * :scale)::int),
       (ARRAY['open', 'filled', 'partial'])[pg_temp.pick(18, i, 100) % 2 + 1
         + (pg_temp.pick(19, i, 100) > 97)::int],
       pg_temp.pick(20, i, 50000000) / 100.0, date '1992-01-01' + pg_temp.pick(21, i, 2405)::int,
       (ARRAY['1 urgent', '2 high', '3 medium', '4 low', '5 none'])[pg_temp.pick(22, i, 5)],
       'Clerk ' || pg_temp.pick(23, i, 1000), repeat('o', 40)
  FROM generate_series(1, (1500000 * :scale)::int) i;

CREATE TABLE lineitem (l_order int, l_line int, l_part int, l_supplier int, l_quantity int,
                       l_price numeric(12, 2), l_discount numeric(4, 2), l_tax numeric(4, 2),
                       l_returned text, l_status text, l_shipped date, l_committed date,
                       l_received date, l_instruct text, l_mode text, l_comment text);
INSERT INTO lineitem SELECT o_id, k, pg_temp.pick(24, o_id * 8 + k, (200000 * :scale)::int),
       pg_temp.pick(25, o_id * 8 + k, (10000 * :scale)::int), pg_temp.pick(26, o_id * 8 + k, 50),
       pg_temp.pick(27, o_id * 8 + k, 10000000) / 100.0,
       pg_temp.pick(28, o_id * 8 + k, 11) / 100.0 - 0.01, pg_temp.pick(29, o_id * 8 + k, 9) / 100.0,
       (ARRAY['R', 'A', 'N', 'N'])[pg_temp.pick(30, o_id * 8 + k, 4)],
       (ARRAY['O', 'F'])[pg_temp.pick(31, o_id * 8 + k, 2)],
       o_date + pg_temp.pick(32, o_id * 8 + k, 121)::int,
       o_date + 30 + pg_temp.pick(33, o_id * 8 + k, 61)::int,
       o_date + pg_temp.pick(32, o_id * 8 + k, 121)::int + pg_temp.pick(34, o_id * 8 + k, 30)::int,
       (ARRAY['in person', 'collect', 'none', 'take back'])[pg_temp.pick(35, o_id * 8 + k, 4)],
       (ARRAY['air', 'rail', 'ship', 'truck', 'mail', 'foot', 'drone'])
         [pg_temp.pick(36, o_id * 8 + k, 7)], repeat('l', 20)
  FROM orders, generate_series(1, 4) k;
VACUUM ANALYZE;
