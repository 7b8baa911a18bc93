# Read once by the image's own entrypoint, when a database is made: the user may make databases for tests, as Django does.
docker_process_sql --database=mysql <<EOS
GRANT ALL ON \`test\\_%\`.* TO '${MARIADB_USER:-$MYSQL_USER}'@'%';
EOS
