{% set package = 'config' %}
{% include 'include/starters/gunicorn.jinja' %}
