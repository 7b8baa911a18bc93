{% if services | select('in', ['mariadb', 'mysql']) | list %}
import pymysql

# PyMySQL is written in Python, and takes the place of mysqlclient, which would have to be compiled
pymysql.install_as_MySQLdb()
{% endif %}
