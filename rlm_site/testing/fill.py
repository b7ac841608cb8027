"""Migrate the database that DATABASE_URL names, load files into it and index them.

python -m rlm_site.testing.fill FILE…
"""

import os
import sys

import django
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rlm_site.settings")
    django.setup()
    from rlm_site.indexing import analyze, queue

    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    call_command("loaddata", *sys.argv[1:], verbosity=0, skip_checks=True)
    queue.process_queue()
    queue.finish_loading()
    analyze.analyze()


if __name__ == "__main__":
    main()
