{% set package = 'api' %}
{% include 'include/starters/test_logs.jinja' %}
