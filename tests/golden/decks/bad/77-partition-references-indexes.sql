CREATE UNIQUE INDEX orders_mail ON orders (lower(mail));
CREATE UNIQUE INDEX orders_mail_at ON orders (lower(mail), at);
