import socket
import threading
import time
from contextlib import suppress

import pytest

from src.run.sweep import webhook


def test_the_address_is_told(receiver, monkeypatch, capsys):
    monkeypatch.setenv("DENSE_WEBHOOK", receiver.address)
    webhook.send({"text": "done", "jobs": 3})
    assert receiver.told == [{"type": "application/json", "text": "done", "jobs": 3}]
    assert capsys.readouterr().out == ""


def test_without_an_address_nobody_is_told(receiver, monkeypatch):
    monkeypatch.delenv("DENSE_WEBHOOK", raising=False)
    webhook.send({"text": "done"})
    assert receiver.told == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:1/secret-path", "Connection refused"),
        ("file:///secret-path", "begins with http:// or https://"),
        ("http://[secret-path", "ValueError"),
        ("http:///secret-path", "it is no address"),
        ("http://secret path/", "InvalidURL"),
    ],
)
def test_what_cannot_be_told_is_a_warning_without_the_address(monkeypatch, capsys, address, said):
    monkeypatch.setenv("DENSE_WEBHOOK", address)
    webhook.send({"text": "done"})
    out = capsys.readouterr().out
    assert out.startswith("warning: ")
    assert said in out
    assert "secret" not in out


def test_a_server_s_refusal_is_a_warning(receiver, monkeypatch, capsys):
    monkeypatch.setenv("DENSE_WEBHOOK", receiver.address)
    receiver.status = 404
    webhook.send({"text": "done"})
    assert "it answered 404" in capsys.readouterr().out


def test_who_answers_drop_by_drop_is_not_waited_for(monkeypatch, capsys):
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        line, _ = server.accept()
        with line, suppress(OSError):  # the other side leaves
            for _ in range(20):
                line.send(b"H")
                time.sleep(0.1)

    dripping = threading.Thread(target=drip)
    dripping.start()
    monkeypatch.setattr(webhook, "_LIMIT", 0.3)
    monkeypatch.setenv("DENSE_WEBHOOK", f"http://127.0.0.1:{server.getsockname()[1]}/")
    began = time.monotonic()
    webhook.send({"text": "done"})
    assert time.monotonic() - began < 1.5
    assert "warning: the address in DENSE_WEBHOOK was not told: no answer within" in capsys.readouterr().out
    dripping.join()
    server.close()


@pytest.mark.parametrize("word", ["sweep.webhook=https://secret/x", "+sweep.webhook=secret/x"])
def test_an_address_on_the_command_line_is_refused_unrepeated(word):
    with pytest.raises(SystemExit) as error:
        webhook.refuse(["-m", word])
    assert "DENSE_WEBHOOK" in str(error.value)
    assert "secret/x" not in str(error.value)
    webhook.refuse(["-m", "sweep.webhook=false"])
