"""The least that `migrate` needs; the database comes from libpq's variables, PGHOST and the like."""

import os

SECRET_KEY = "not a secret: this project serves nothing"
INSTALLED_APPS = ["spans"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        # libpq takes host, port, user and password from the environment where none are given.
    }
}
