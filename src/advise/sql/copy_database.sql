-- what: a database with all that another one has
-- servers: 14..
-- variables: name template
CREATE DATABASE :"name" TEMPLATE :"template"
