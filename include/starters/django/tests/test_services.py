{% set package = 'config' %}
{% include 'include/starters/test_services.jinja' %}
