from django.core.management.commands import migrate

from rlm_site.management.autodetector import TableAutodetector


class Command(migrate.Command):
    autodetector = TableAutodetector
