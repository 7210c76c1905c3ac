-- what: values of a partition by list
-- servers: 14..
-- variables: values
FOR VALUES IN (:values)
