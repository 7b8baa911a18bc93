{% from 'include/asked.jinja' import asked with context %}
"""Settings: https://docs.djangoproject.com/en/stable/ref/settings/"""

import os
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from config import logs{{ ', services' if asked }}

BASE_DIR = Path(__file__).resolve().parent.parent

# compose.yaml sets it, for development
DEBUG = os.environ.get("DJANGO_DEBUG") == "1"

# What production must set, and development's values
DEVELOPMENT = {
    "DATABASE_URL": "sqlite:////data/db.sqlite3",
    "DJANGO_ALLOWED_HOSTS": "*",
    "DJANGO_SECRET_KEY": "django-insecure-only-for-development",
}
environment = DEVELOPMENT | os.environ if DEBUG else os.environ
if missing := [name for name in {{ '[*DEVELOPMENT, *services.SETTINGS]' if asked else 'DEVELOPMENT' }} if not environment.get(name)]:
    raise ImproperlyConfigured(f"Set {', '.join(missing)}; or, for development, DJANGO_DEBUG=1")
if not DEBUG:
{% if asked %}
    services.check_settings()
{% endif %}
    refused = [name for name, value in DEVELOPMENT.items() if environment[name] == value]
    if logs.ON_CLOUD_RUN and ":development@" in environment["DATABASE_URL"]:
        refused.append("DATABASE_URL")
    if refused:
        raise ImproperlyConfigured(f"{', '.join(refused)}: development's, which production must not have")

DATABASES = {"default": dj_database_url.parse(environment["DATABASE_URL"])}
# Names, with commas between them
ALLOWED_HOSTS = environment["DJANGO_ALLOWED_HOSTS"].split(",")
SECRET_KEY = environment["DJANGO_SECRET_KEY"]

if not DEBUG:
    # Behind a proxy that says so when it was asked by HTTPS, and sends HTTP there, as Cloud Run's does
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 3600
    # The proxy redirects (W008); only you know whether your other hosts speak HTTPS (W005, W021)
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "config.middleware.probes",
    "config.middleware.trace",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            # Only production keeps templates in memory, so that an edit shows at once
            "loaders": LOADERS if DEBUG else [("django.template.loaders.cached.Loader", LOADERS)],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
# Filled by `collectstatic`, in build.sh, and served by WhiteNoise; development serves each app's own files
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# All of it to standard output: by default, errors in production are only mailed
LOGGING = logs.CONFIG
