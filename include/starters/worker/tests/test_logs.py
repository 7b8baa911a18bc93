{% set package = 'worker' %}
{% include 'include/starters/test_logs.jinja' %}
