-- what: bounds of a partition by range
-- servers: 14..
-- variables: lower, upper
FOR VALUES FROM (:'lower') TO (:'upper')
