"""A message to an address of the user's when a sweep has ended."""

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

ADDRESS = "DENSE_WEBHOOK"  # the environment variable: who has the address may write there, so it stands in no file
_LIMIT = 10.0  # seconds


def refuse(words: Sequence[str]) -> None:
    """Raise SystemExit for an address among the words of a command line, before any file repeats it."""
    if any(word.lstrip("+").startswith("sweep.webhook=") and "/" in word for word in words):
        raise SystemExit(f"error: {REFUSAL}")


REFUSAL = (
    "sweep.webhook: is true or false. An address is a secret, and what a command says is stored with its runs: put it "
    f"into the environment variable {ADDRESS}"
)


def send(facts: dict[str, Any]) -> None:
    """POST `facts` as JSON to the address in the environment, if there is one; a failure is a warning."""
    address = os.environ.get(ADDRESS)
    if not address:
        return
    if not address.lower().startswith(("http://", "https://")):
        print(f"warning: {ADDRESS} holds no address that begins with http:// or https://; no message was sent")
        return
    said: list[str] = []
    sender = threading.Thread(target=_post, args=(address, json.dumps(facts).encode(), said), daemon=True)
    sender.start()
    sender.join(_LIMIT)  # the name may take long to resolve, and the answer may come drop by drop
    trouble = f"no answer within {_LIMIT:.0f} s" if sender.is_alive() else said[0]
    if trouble:
        print(f"warning: the address in {ADDRESS} was not told: {trouble}", flush=True)


def _post(address: str, body: bytes, said: list[str]) -> None:
    """Notes what went wrong, without the address, or an empty text."""
    try:
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=_LIMIT):
            said.append("")
    except urllib.error.HTTPError as error:
        said.append(f"it answered {error.code}")
    except urllib.error.URLError as error:
        reason = error.reason
        said.append(reason.strerror or type(reason).__name__ if isinstance(reason, OSError) else "it is no address")
    except Exception as error:  # whatever is wrong with an address must not end a sweep, nor print it
        said.append(type(error).__name__)
