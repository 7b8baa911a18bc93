# The image's entrypoint reads this when it creates the database: the user may create test databases, as Django does.
docker_process_sql --database=mysql <<EOS
GRANT ALL ON \`test\\_%\`.* TO '${MARIADB_USER:-$MYSQL_USER}'@'%';
EOS
