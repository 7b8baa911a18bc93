{% set package = 'config' %}
{% include 'include/starters/test_logs.jinja' %}
