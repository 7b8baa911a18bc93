{% set loggers = '' %}
{% include 'include/starters/logs.jinja' %}
