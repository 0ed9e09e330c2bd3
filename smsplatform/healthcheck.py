"""`python -m smsplatform.healthcheck`: asks this container's web server for a page, as the proxy in front would.

Exit code 0 if the page came. No Django: it runs every few seconds.
"""

import os
import sys
import urllib.request


def main() -> int:
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].lstrip(".").replace("*", "localhost")
    request = urllib.request.Request(
        "http://127.0.0.1:8000/auth/login/",
        headers={"Host": host, "X-Forwarded-Proto": "https"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            return 0 if response.status == 200 else 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
