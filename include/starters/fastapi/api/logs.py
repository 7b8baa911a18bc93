{% set loggers %}
{
        # Cloud Run logs each request by itself
        "uvicorn.access": {"handlers": [], "propagate": True, "level": "WARNING"},
        "uvicorn": {"handlers": [], "propagate": True},
    }
    if ON_CLOUD_RUN
    else {}
{% endset %}
{% include 'include/starters/logs.jinja' %}
