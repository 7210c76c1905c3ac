-- what: share of a partition by hash
-- servers: 14..
-- variables: modulus, remainder
FOR VALUES WITH (modulus :modulus, remainder :remainder)
