{% set package = 'worker' %}
{% include 'include/starters/test_services.jinja' %}
