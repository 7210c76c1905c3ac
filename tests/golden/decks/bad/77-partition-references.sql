CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz NOT NULL, mail text);
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders);
CREATE TABLE notes (item_id bigint REFERENCES items, order_id bigint, order_at timestamptz,
    FOREIGN KEY (order_id, order_at) REFERENCES public.orders (id, at));
CREATE TABLE marks (order_id bigint, FOREIGN KEY (order_id) REFERENCES orders (id));
