"""Walks an audience in a process of its own, to be killed: python -m tests.faults.walker CAMPAIGN TENANT"""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")
    django.setup()
    from campaigns.services import walk_audience

    walk_audience(campaign_id=int(sys.argv[1]), tenant_id=int(sys.argv[2]), chunk_size=20)
