from django.core.management.commands import makemigrations

from rlm_site.management.autodetector import TableAutodetector


class Command(makemigrations.Command):
    autodetector = TableAutodetector
