-- Nineteen questions of a wholesaler.

-- shipped, by status
SELECT l_returned, l_status, sum(l_quantity), sum(l_price), avg(l_discount), count(*)
  FROM lineitem WHERE l_shipped <= date '1998-09-02' GROUP BY 1, 2 ORDER BY 1, 2;

-- unshipped orders of a segment
SELECT l_order, sum(l_price * (1 - l_discount)) AS revenue, o_date
  FROM customer JOIN orders ON o_customer = c_id JOIN lineitem ON l_order = o_id
 WHERE c_segment = 'home' AND o_date < date '1995-03-15' AND o_date > date '1995-02-15'
   AND l_shipped > date '1995-03-15'
 GROUP BY l_order, o_date ORDER BY revenue DESC, o_date LIMIT 10;

-- late orders of a week
SELECT o_priority, count(*) FROM orders
 WHERE o_date >= date '1993-07-01' AND o_date < date '1993-07-08'
   AND EXISTS (SELECT FROM lineitem WHERE l_order = o_id AND l_committed < l_received)
 GROUP BY 1 ORDER BY 1;

-- revenue of local suppliers
SELECT n_name, sum(l_price * (1 - l_discount)) AS revenue
  FROM region JOIN nation ON n_region = r_id JOIN customer ON c_nation = n_id
  JOIN orders ON o_customer = c_id JOIN lineitem ON l_order = o_id
  JOIN supplier ON s_id = l_supplier AND s_nation = c_nation
 WHERE r_name = 'Asia' AND o_date >= date '1994-01-01' AND o_date < date '1994-01-15'
 GROUP BY n_name ORDER BY revenue DESC;

-- what a discount would bring
SELECT sum(l_price * l_discount) FROM lineitem
 WHERE l_shipped >= date '1994-01-01' AND l_shipped < date '1994-02-01'
   AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24;

-- trade between two nations
SELECT extract(year FROM l_shipped) AS year, sum(l_price * (1 - l_discount))
  FROM supplier JOIN lineitem ON l_supplier = s_id JOIN orders ON o_id = l_order
  JOIN customer ON c_id = o_customer
 WHERE s_nation = 3 AND c_nation = 7 AND l_shipped BETWEEN date '1995-01-01' AND date '1995-06-30'
 GROUP BY 1 ORDER BY 1;

-- share of the market of one kind of part
SELECT extract(year FROM o_date) AS year,
       sum(CASE WHEN s_nation = 5 THEN l_price ELSE 0 END) / sum(l_price)
  FROM part JOIN lineitem ON l_part = p_id JOIN supplier ON s_id = l_supplier
  JOIN orders ON o_id = l_order
 WHERE p_type = 'steel plated' AND p_size = 15 AND o_date BETWEEN date '1995-01-01' AND date '1996-12-31'
 GROUP BY 1 ORDER BY 1;

-- profit on parts of one brand and size
SELECT s_nation, sum(l_price * (1 - l_discount) - ps_cost * l_quantity) AS profit
  FROM part JOIN lineitem ON l_part = p_id JOIN supplier ON s_id = l_supplier
  JOIN partsupp ON ps_part = l_part AND ps_supplier = l_supplier
 WHERE p_brand = 'Brand 12' AND p_size = 7
 GROUP BY s_nation ORDER BY s_nation;

-- customers who send things back
SELECT c_id, c_name, sum(l_price * (1 - l_discount)) AS lost, c_balance, c_phone
  FROM customer JOIN orders ON o_customer = c_id JOIN lineitem ON l_order = o_id
 WHERE o_date >= date '1993-10-01' AND o_date < date '1993-10-08' AND l_returned = 'R'
 GROUP BY c_id, c_name, c_balance, c_phone ORDER BY lost DESC LIMIT 20;

-- most valuable stock of one nation
SELECT ps_part, sum(ps_cost * ps_quantity) AS value FROM partsupp JOIN supplier ON s_id = ps_supplier
 WHERE s_nation = 9 GROUP BY ps_part ORDER BY value DESC LIMIT 100;

-- lines received late, by mode
SELECT l_mode, count(*) FROM lineitem JOIN orders ON o_id = l_order
 WHERE l_mode IN ('air', 'ship') AND l_committed < l_received AND l_shipped < l_committed
   AND l_received >= date '1994-01-01' AND l_received < date '1994-01-08'
 GROUP BY l_mode ORDER BY l_mode;

-- how many orders customers have
SELECT orders, count(*) FROM (SELECT c_id, count(o_id) AS orders FROM customer
                                LEFT JOIN orders ON o_customer = c_id GROUP BY c_id) counted
 GROUP BY orders ORDER BY orders DESC;

-- effect of a promotion
SELECT 100 * sum(CASE WHEN p_type LIKE 'steel%' THEN l_price ELSE 0 END) / sum(l_price)
  FROM lineitem JOIN part ON p_id = l_part
 WHERE l_shipped >= date '1995-09-01' AND l_shipped < date '1995-09-08';

-- best supplier of a fortnight
SELECT s_id, s_name, sum(l_price * (1 - l_discount)) AS revenue
  FROM lineitem JOIN supplier ON s_id = l_supplier
 WHERE l_shipped >= date '1996-01-01' AND l_shipped < date '1996-01-15'
 GROUP BY s_id, s_name ORDER BY revenue DESC LIMIT 1;

-- suppliers by what they can deliver
SELECT p_brand, p_type, count(DISTINCT ps_supplier) FROM partsupp JOIN part ON p_id = ps_part
 WHERE p_size IN (3, 9, 14, 19) AND p_brand <> 'Brand 5' AND p_container = 'box small'
 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;

-- one customer's last orders
SELECT o_id, o_date, o_total FROM orders WHERE o_customer = 4711 ORDER BY o_date DESC LIMIT 20;

-- large orders
SELECT o_id, o_date, o_total, c_name FROM orders JOIN customer ON c_id = o_customer
 WHERE o_total > 499000 ORDER BY o_total DESC, o_date LIMIT 100;

-- revenue of certain parts
SELECT sum(l_price * (1 - l_discount)) FROM lineitem JOIN part ON p_id = l_part
 WHERE p_container = 'can large' AND p_brand = 'Brand 3' AND p_size BETWEEN 1 AND 10
   AND l_quantity BETWEEN 10 AND 20 AND l_mode = 'air';

-- good customers who do not order
SELECT c_nation, count(*), sum(c_balance) FROM customer
 WHERE c_balance > 9500 AND NOT EXISTS (SELECT FROM orders WHERE o_customer = c_id)
 GROUP BY c_nation ORDER BY c_nation;
