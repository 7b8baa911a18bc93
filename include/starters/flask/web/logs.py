{% set loggers %}
{"gunicorn.error": {"handlers": [], "propagate": True}}
{% endset %}
{% include 'include/starters/logs.jinja' %}
