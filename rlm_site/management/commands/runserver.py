"""Django's development server, on the port of the settings; with DEBUG=true, edited files show at once."""

from typing import Any

from django.conf import settings
from whitenoise.runserver_nostatic.management.commands import runserver

from rlm_site import static_files


class Command(runserver.Command):
    default_port = str(settings.PORT)

    def inner_run(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            self.stdout.write("DEBUG is off: edited templates and static files appear only after a restart.")
            if not static_files.are_collected():
                self.stdout.write("Collecting and compressing static files …")
                static_files.collect()
        super().inner_run(*args, **options)
