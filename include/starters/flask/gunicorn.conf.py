{% set package = 'web' %}
{% include 'include/starters/gunicorn.jinja' %}
