"""The fake as a process, Stripe's library pointed at it, and somebody who hears webhooks."""

import contextlib
import http.server
import json
import os
import socket
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

import stripe

WEBHOOK_SECRET = "whsec_scenario"
START_TIMEOUT_S = 20

url = ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Receiver:
    """Hears webhooks. `answers` are the statuses of the next ones; then 200."""

    def __init__(self):
        self.heard = []
        self.answers = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.heard.append((body, self.headers["stripe-signature"]))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/webhook"

    def events(self) -> list:
        """All that came, each with its signature verified by Stripe's library."""
        return [stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET) for body, signature in self.heard]


receiver = Receiver()


@contextlib.contextmanager
def fake():
    """Starts the fake, and ends it as a supervisor would; it has to end cleanly."""
    global url
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [os.environ["SOUK_BIN"], "fake-stripe", "--port", str(port), "--seed", "7", "--hang-ms", "1500"]
    command += ["--webhook-url", receiver.url, "--webhook-secret", WEBHOOK_SECRET]
    process = subprocess.Popen(command)
    try:
        wait_until_it_answers(process)
        yield
        process.terminate()
        code = process.wait(timeout=START_TIMEOUT_S)
        if code != 0:
            raise SystemExit(f"souk fake-stripe ended with {code}")
    finally:
        if process.poll() is None:
            process.kill()


def wait_until_it_answers(process) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"souk fake-stripe did not start: it ended with {process.returncode}")
        with contextlib.suppress(urllib.error.URLError):
            control("GET", "ledger")
            return
        time.sleep(0.05)
    raise SystemExit("souk fake-stripe did not answer in time")


def control(method: str, path: str, body=None):
    """What Stripe does not have."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/_fake/{path}", data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=40) as response:
        return json.load(response)


def client(key="sk_test_scenario", **options) -> stripe.StripeClient:
    options = {"max_network_retries": 0, **options}
    return stripe.StripeClient(key, base_addresses={"api": url}, **options)


class Scenario(unittest.TestCase):
    """A test that begins with an empty Stripe."""

    def setUp(self):
        # What the test before caused may be on its way still, and would be heard in this one.
        control("POST", "webhooks/flush", {})
        control("POST", "reset", {})
        receiver.heard.clear()
        receiver.answers.clear()
        self.stripe = client()

    def tearDown(self):
        self.assertEqual(control("GET", "ledger")["problems"], [], "the fake's own books")

    def pay(self, amount=1000, card="pm_card_visa", currency="usd", options=None, **params):
        params = {"payment_method_types": ["card"], "confirm": True, "payment_method": card, **params}
        params = {"amount": amount, "currency": currency, **params}
        return self.stripe.v1.payment_intents.create(params, options)

    def charge_of(self, intent):
        return self.stripe.v1.charges.retrieve(intent.latest_charge)

    def seller(self):
        """A connected account that may be paid."""
        return self.stripe.v1.accounts.create({
            "type": "custom",
            "country": "US",
            "capabilities": {"transfers": {"requested": True}, "card_payments": {"requested": True}},
            "tos_acceptance": {"date": 1700000000, "ip": "127.0.0.1"},
            "external_account": {
                "object": "bank_account", "country": "US", "currency": "usd",
                "routing_number": "110000000", "account_number": "000123456789",
            },
        })

    def advance(self, seconds):
        control("POST", "clock", {"advance_s": seconds})

    def fault(self, kind, method="POST", path=None, times=1):
        control("POST", "faults", {"next": [{"fault": kind, "method": method, "path": path, "times": times}]})

    def webhooks(self):
        """The events that were delivered, once all were."""
        self.assertEqual(control("POST", "webhooks/flush", {})["pending"], 0)
        return receiver.events()

    def refused(self, error, call, code=None, message=None, status=None, param=None):
        with self.assertRaises(error) as raised:
            call()
        refusal = raised.exception
        if code:
            self.assertEqual(refusal.code, code)
        if message:
            self.assertIn(message, str(refusal))
        if status:
            self.assertEqual(refusal.http_status, status)
        if param:
            self.assertEqual(refusal.param, param)
        return refusal
