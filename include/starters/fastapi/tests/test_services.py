{% set package = 'api' %}
{% include 'include/starters/test_services.jinja' %}
