-- A small shop. Every person is invented; numbers are published test or example numbers that no one holds:
-- e-mail under example.com/.org/.net, phone numbers set aside for fiction, test card numbers, the example
-- IBANs of the registry, IP addresses for documentation.

CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT,
  card_number TEXT,
  iban TEXT,
  city TEXT NOT NULL
);

CREATE TABLE products (
  id INTEGER PRIMARY KEY,
  sku TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  price_cents INTEGER NOT NULL,
  weight_kg REAL,
  stock INTEGER NOT NULL,
  picture BLOB
);

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  ordered_on TEXT NOT NULL,
  status TEXT NOT NULL,
  placed_from TEXT,
  note TEXT
);

CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  product_id INTEGER NOT NULL REFERENCES products (id),
  quantity INTEGER NOT NULL,
  price_cents INTEGER NOT NULL,
  PRIMARY KEY (order_id, product_id)
) WITHOUT ROWID;

CREATE VIEW order_totals AS
  SELECT orders.id AS order_id, customers.name AS customer, sum(quantity * price_cents) AS total_cents
  FROM orders JOIN customers ON customers.id = orders.customer_id JOIN order_items ON order_items.order_id = orders.id
  GROUP BY orders.id;

BEGIN;

INSERT INTO customers VALUES
  (1, 'CUST-007919', 'Ada Lindqvist', 'ada.lindqvist@example.com', '+46 8 465 004 11', '4111 1111 1111 1111', 'SE45 5000 0000 0583 9825 7466', 'Stockholm'),
  (2, 'CUST-015838', 'Bruno Keller', 'bruno.keller@example.org', '+49 30 23125 017', '5555 5555 5555 4444', 'DE89 3704 0044 0532 0130 00', 'Berlin'),
  (3, 'CUST-023757', 'Chloé Martin', 'chloe.martin@example.net', '+33 1 99 00 12 34', '4012 8888 8888 1881', 'FR14 2004 1010 0505 0001 3M02 606', 'Paris'),
  (4, 'CUST-031676', 'Dinesh Rao', 'dinesh.rao@example.com', '+1 202-555-0143', '3782 822463 10005', 'GB82 WEST 1234 5698 7654 32', 'London'),
  (5, 'CUST-039595', 'Eva Novak', 'eva.novak@example.org', '+1 202-555-0178', '6011 1111 1111 1117', 'AT61 1904 3002 3457 3201', 'Vienna'),
  (6, 'CUST-047514', 'Femke de Boer', 'femke.deboer@example.net', '+44 20 7946 0018', '5105 1051 0510 5100', 'NL91 ABNA 0417 1643 00', 'Utrecht'),
  (7, 'CUST-055433', 'Giulia Ricci', 'giulia.ricci@example.com', '+44 20 7946 0321', '4242 4242 4242 4242', 'IT60 X054 2811 1010 0000 0123 456', 'Turin'),
  (8, 'CUST-063352', 'Hassan Demir', 'hassan.demir@example.org', '+49 30 23125 402', '3530 1113 3330 0000', 'BE68 5390 0754 7034', 'Ghent'),
  (9, 'CUST-071271', 'Inés Ortega', 'ines.ortega@example.net', '+33 1 99 00 56 78', '4111 1111 1111 1111', 'ES91 2100 0418 4502 0005 1332', 'Seville'),
  (10, 'CUST-079190', 'Jarosław Wójcik', 'jaroslaw.wojcik@example.com', '+1 202-555-0112', '5555 5555 5555 4444', 'PL61 1090 1014 0000 0712 1981 2874', 'Gdańsk'),
  (11, 'CUST-087109', 'Kira O''Neill', 'kira.oneill@example.org', '+44 20 7946 0777', NULL, NULL, 'Dublin'),
  (12, 'CUST-095028', 'Luca Meier', 'luca.meier@example.net', NULL, '4012 8888 8888 1881', 'CH93 0076 2011 6238 5295 7', 'Basel');

INSERT INTO products VALUES
  (1, 'TEA-GRN-100', 'Green tea, 100 g', 790, 0.12, 42, NULL),
  (2, 'TEA-BLK-100', 'Black tea, 100 g', 690, 0.12, 58, NULL),
  (3, 'TEA-MNT-050', 'Mint tea, 50 g', 450, 0.065, 0, x'89504E470D0A1A0A03'),
  (4, 'COF-ESP-250', 'Espresso beans, 250 g', 1090, 0.27, 31, NULL),
  (5, 'COF-FLT-500', 'Filter coffee, 500 g', 1490, 0.53, 17, NULL),
  (6, 'CUP-STO-001', 'Stoneware cup', 1250, 0.31, 24, x'89504E470D0A1A0A06'),
  (7, 'POT-GLS-001', 'Glass teapot, 1 l', 3400, 0.74, 9, NULL),
  (8, 'FLT-PAP-100', 'Paper filters, 100', 390, 0.2, 120, NULL),
  (9, 'KTL-STL-001', 'Steel kettle', 5900, 1.05, 4, x'89504E470D0A1A0A09'),
  (10, 'TIN-RND-001', 'Round tin', 820, NULL, 36, NULL);

INSERT INTO orders VALUES
  (1, 6, '2026-01-08', 'delivered', '192.0.2.8', NULL),
  (2, 11, '2026-01-15', 'open', '192.0.2.16', NULL),
  (3, 5, '2026-01-22', 'shipped', '192.0.2.24', 'Please call +1 202-555-0143 before delivery.'),
  (4, 10, '2026-01-01', 'open', NULL, NULL),
  (5, 4, '2026-01-08', 'delivered', '192.0.2.40', NULL),
  (6, 9, '2026-02-15', 'delivered', '192.0.2.48', NULL),
  (7, 3, '2026-02-22', 'delivered', '192.0.2.56', 'Refund to IBAN NL91 ABNA 0417 1643 00.'),
  (8, 8, '2026-02-01', 'open', NULL, NULL),
  (9, 2, '2026-02-08', 'shipped', '192.0.2.72', NULL),
  (10, 7, '2026-02-15', 'open', '192.0.2.80', NULL),
  (11, 1, '2026-03-22', 'delivered', '192.0.2.88', NULL),
  (12, 6, '2026-03-01', 'delivered', NULL, 'Invoice to accounts@example.org, please.'),
  (13, 11, '2026-03-08', 'delivered', '192.0.2.104', NULL),
  (14, 5, '2026-03-15', 'open', '192.0.2.112', NULL),
  (15, 10, '2026-03-22', 'shipped', '192.0.2.120', NULL),
  (16, 4, '2026-04-01', 'open', NULL, NULL),
  (17, 9, '2026-04-08', 'delivered', '192.0.2.136', NULL),
  (18, 3, '2026-04-15', 'delivered', '192.0.2.144', 'Gift: no price on the slip.'),
  (19, 8, '2026-04-22', 'delivered', '192.0.2.152', NULL),
  (20, 2, '2026-04-01', 'open', NULL, NULL),
  (21, 7, '2026-05-08', 'shipped', '192.0.2.168', NULL),
  (22, 1, '2026-05-15', 'open', '192.0.2.176', NULL),
  (23, 6, '2026-05-22', 'delivered', '192.0.2.184', 'Paid by card 4242 4242 4242 4242 at the counter.'),
  (24, 11, '2026-05-01', 'delivered', NULL, NULL),
  (25, 5, '2026-05-08', 'delivered', '192.0.2.200', NULL),
  (26, 10, '2026-06-15', 'open', '192.0.2.208', NULL),
  (27, 4, '2026-06-22', 'shipped', '192.0.2.216', NULL),
  (28, 9, '2026-06-01', 'open', NULL, NULL),
  (29, 3, '2026-06-08', 'delivered', '192.0.2.232', NULL),
  (30, 8, '2026-06-15', 'delivered', '192.0.2.240', NULL);

INSERT INTO order_items VALUES
  (1, 4, 2, 1090),
  (1, 8, 3, 390),
  (2, 7, 3, 3400),
  (2, 1, 4, 790),
  (2, 5, 1, 1490),
  (3, 10, 4, 820),
  (4, 3, 1, 450),
  (4, 7, 2, 3400),
  (5, 6, 2, 1250),
  (5, 10, 3, 820),
  (5, 4, 4, 1090),
  (6, 9, 3, 5900),
  (7, 2, 4, 690),
  (7, 6, 1, 1250),
  (8, 5, 1, 1490),
  (8, 9, 2, 5900),
  (8, 3, 3, 450),
  (9, 8, 2, 390),
  (10, 1, 3, 790),
  (10, 5, 4, 1490),
  (11, 4, 4, 1090),
  (11, 8, 1, 390),
  (11, 2, 2, 690),
  (12, 7, 1, 3400),
  (13, 10, 2, 820),
  (13, 4, 3, 1090),
  (14, 3, 3, 450),
  (14, 7, 4, 3400),
  (14, 1, 1, 790),
  (15, 6, 4, 1250),
  (16, 9, 1, 5900),
  (16, 3, 2, 450),
  (17, 2, 2, 690),
  (17, 6, 3, 1250),
  (17, 10, 4, 820),
  (18, 5, 3, 1490),
  (19, 8, 4, 390),
  (19, 2, 1, 690),
  (20, 1, 1, 790),
  (20, 5, 2, 1490),
  (20, 9, 3, 5900),
  (21, 4, 2, 1090),
  (22, 7, 3, 3400),
  (22, 1, 4, 790),
  (23, 10, 4, 820),
  (23, 4, 1, 1090),
  (23, 8, 2, 390),
  (24, 3, 1, 450),
  (25, 6, 2, 1250),
  (25, 10, 3, 820),
  (26, 9, 3, 5900),
  (26, 3, 4, 450),
  (26, 7, 1, 3400),
  (27, 2, 4, 690),
  (28, 5, 1, 1490),
  (28, 9, 2, 5900),
  (29, 8, 2, 390),
  (29, 2, 3, 690),
  (29, 6, 4, 1250),
  (30, 1, 3, 790);

COMMIT;
