-- what: the settings of this session that can matter for speed, as SHOW writes them
-- servers: 14..
-- returns: name, value
SELECT name, current_setting(name) AS value
FROM pg_settings
WHERE name NOT IN (
    'application_name', 'cluster_name', 'config_file', 'data_directory', 'external_pid_file',
    'hba_file', 'ident_file', 'listen_addresses', 'log_directory', 'log_filename', 'port',
    'session_authorization', 'role', 'unix_socket_directories',
    'primary_conninfo', 'ssl_cert_file', 'ssl_key_file', 'ssl_ca_file', 'krb_server_keyfile'
)
ORDER BY name COLLATE "C";
