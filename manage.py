#!/usr/bin/env python
"""Django's command line; beside ``make run`` it finds the servers that run there."""

import os
import sys

from django.core.management import execute_from_command_line

from config.stack import beside

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    beside.join()
    execute_from_command_line(sys.argv)
