{% set package = 'web' %}
{% include 'include/starters/test_logs.jinja' %}
