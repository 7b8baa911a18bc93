{% set package = 'web' %}
{% include 'include/starters/test_services.jinja' %}
