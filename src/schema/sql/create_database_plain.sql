-- what: creates a database where the server's template is not in UTF-8
-- servers: 14..
-- variables: database, owner
CREATE DATABASE :"database" OWNER :"owner" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
