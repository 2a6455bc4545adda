"""The web process's entry."""

import os

from django.core.wsgi import get_wsgi_application

from config import garbage
from config.bodies import ReadToTheEnd

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = ReadToTheEnd(get_wsgi_application())
garbage.settle()
