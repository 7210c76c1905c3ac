-- what: gives a role its password as a SCRAM verifier
-- servers: 14..
-- variables: role, verifier
ALTER ROLE :"role" PASSWORD :'verifier';
