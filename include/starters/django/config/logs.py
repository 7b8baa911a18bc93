{% set loggers %}
{"django": {"level": "INFO"}, "gunicorn.error": {"handlers": [], "propagate": True}}
{% endset %}
{% include 'include/starters/logs.jinja' %}
