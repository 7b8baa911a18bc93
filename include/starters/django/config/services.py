{% include 'include/starters/services.jinja' %}
