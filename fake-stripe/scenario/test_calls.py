"""Calls themselves: keys, headers, parameters, lists, idempotency and faults."""

import threading

import requests
import stripe
import support
from support import Scenario, client, control

KEY = ("sk_test_scenario", "")


def post(path, data, key=None, **headers):
    """A call without the library, to see headers and bodies as they are."""
    if key:
        headers["Idempotency-Key"] = key
    return requests.post(f"{support.url}/v1/{path}", data=data, auth=KEY, headers=headers, timeout=20)


TAKEN = {"amount": 1000, "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa", "payment_method_types[]": "card"}


class Door(Scenario):
    def test_a_test_key_is_needed(self):
        bare = requests.get(f"{support.url}/v1/balance", timeout=20)
        self.assertEqual(bare.status_code, 401)
        self.assertIn("You did not provide an API key.", bare.json()["error"]["message"])
        self.assertEqual(bare.headers["www-authenticate"], 'Basic realm="Stripe"')
        for key in ("sk_live_1234567890abcdef", "nonsense"):
            self.refused(stripe.AuthenticationError, lambda: client(key).v1.balance.retrieve(), message="Invalid API Key provided")

    def test_answers_carry_stripe_s_headers(self):
        answer = post("payment_intents", TAKEN, key="k1", **{"Stripe-Version": "2025-03-31.basil"})
        self.assertTrue(answer.headers["request-id"].startswith("req_"))
        self.assertEqual(answer.headers["stripe-version"], "2025-03-31.basil")
        self.assertEqual(answer.headers["idempotency-key"], "k1")
        self.assertEqual(post("refunds", {}, **{"Stripe-Version": "yesterday"}).status_code, 400)
        self.assertEqual(self.pay().last_response.headers["stripe-version"], stripe.api_version)

    def test_parameters_are_read_strictly(self):
        create = lambda **params: self.stripe.v1.payment_intents.create(params)
        for params, code, param, message in [
            ({"currency": "usd"}, "parameter_missing", "amount", "Missing required param: amount."),
            ({"amount": 1000}, "parameter_missing", "currency", "Missing required param: currency."),
            ({"amount": "ten", "currency": "usd"}, "parameter_invalid_integer", "amount", "Invalid integer: ten"),
            ({"amount": 0, "currency": "usd"}, "parameter_invalid_integer", "amount", "greater than or equal to 1"),
            ({"amount": 49, "currency": "usd"}, "amount_too_small", "amount", "at least $0.50 usd"),
            ({"amount": 1000, "currency": "xxx"}, None, "currency", "Invalid currency: xxx"),
            ({"amount": 1000, "currency": ""}, "parameter_invalid_empty", "currency", "You passed an empty string"),
            ({"amount": 1000, "currency": "usd", "colour": "red"}, "parameter_unknown", "colour", "Received unknown parameter: colour"),
            ({"amount": 1000, "currency": "usd", "capture_method": "never"}, None, "capture_method", "Invalid capture_method: must be one of"),
            ({"amount": 1000, "currency": "usd", "metadata": {"k" * 41: "v"}}, None, "metadata", "40 characters"),
        ]:
            self.refused(stripe.InvalidRequestError, lambda: create(**params), code=code, param=param, message=message, status=400)
        self.assertEqual(self.stripe.v1.payment_intents.list().data, [])

    def test_json_is_not_a_form(self):
        answer = requests.post(f"{support.url}/v1/refunds", json={"amount": 1}, auth=KEY, timeout=20)
        self.assertEqual(answer.status_code, 400)
        self.assertIn("application/x-www-form-urlencoded", answer.json()["error"]["message"])

    def test_what_is_not_there_is_missing(self):
        refusal = self.refused(stripe.InvalidRequestError, lambda: self.stripe.v1.payment_intents.retrieve("pi_nothing"), code="resource_missing", status=404)
        self.assertIn("No such payment_intent: 'pi_nothing'", str(refusal))
        self.assertIn("Unrecognized request URL (GET: /v1/nonsense)", requests.get(f"{support.url}/v1/nonsense", auth=KEY, timeout=20).json()["error"]["message"])
        call = lambda: self.stripe.v1.balance.retrieve(options={"stripe_account": "acct_nobody"})
        self.assertEqual(self.refused(stripe.PermissionError, call, status=403).error.code, "account_invalid")
        call = lambda: self.stripe.v1.payment_intents.list({"expand": ["data.colour"]}) if self.pay() else None
        self.refused(stripe.InvalidRequestError, call, message="This property cannot be expanded (data.colour).")


class Lists(Scenario):
    def test_pages_follow_each_other_without_gap_or_repeat(self):
        made = [self.pay(100 + number).id for number in range(25)]
        first = self.stripe.v1.payment_intents.list({"limit": 10, "expand": ["data.latest_charge"]})
        self.assertEqual(([one.id for one in first.data], first.has_more), (made[:14:-1], True))
        self.assertEqual(first.data[0].latest_charge.object, "charge")
        everything = [one.id for one in self.stripe.v1.payment_intents.list({"limit": 7}).auto_paging_iter()]
        self.assertEqual(everything, made[::-1])
        last = self.stripe.v1.payment_intents.list({"starting_after": made[3]})
        self.assertEqual(([one.id for one in last.data], last.has_more), (made[2::-1], False))
        before = self.stripe.v1.payment_intents.list({"ending_before": made[20], "limit": 3})
        self.assertEqual(([one.id for one in before.data], before.has_more), ([made[23], made[22], made[21]], True))

    def test_lists_are_filtered_by_time(self):
        first = self.pay()
        self.advance(100)
        second = self.pay()
        ids = lambda created: [one.id for one in self.stripe.v1.payment_intents.list({"created": created}).data]
        self.assertEqual(ids({"gt": first.created}), [second.id])
        self.assertEqual(ids({"lt": second.created}), [first.id])
        self.assertEqual(ids({"gte": first.created, "lte": second.created}), [second.id, first.id])
        self.assertEqual(ids(second.created), [second.id])

    def test_bad_pages_are_refused(self):
        list_ = self.stripe.v1.payment_intents.list
        self.refused(stripe.InvalidRequestError, lambda: list_({"limit": 101}), message="less than or equal to 100", param="limit")
        self.refused(stripe.InvalidRequestError, lambda: list_({"starting_after": "pi_nothing"}), code="resource_missing", param="starting_after")


class Idempotency(Scenario):
    def test_a_key_does_a_thing_once(self):
        first = post("payment_intents", TAKEN, key="k1")
        again = post("payment_intents", TAKEN, key="k1")
        self.assertEqual(first.content, again.content)
        self.assertNotIn("idempotent-replayed", first.headers)
        self.assertEqual(again.headers["idempotent-replayed"], "true")
        self.assertEqual(again.headers["original-request"], first.headers["request-id"])
        self.assertNotEqual(again.headers["request-id"], first.headers["request-id"])
        self.assertEqual(len(self.stripe.v1.payment_intents.list().data), 1)

    def test_a_key_is_for_one_call_only(self):
        options = {"idempotency_key": "k1"}
        intent = self.pay(1000, options=options)
        self.refused(stripe.IdempotencyError, lambda: self.pay(1001, options=options), status=400, message="same parameters they were first used with")
        call = lambda: self.stripe.v1.refunds.create({"payment_intent": intent.id}, options)
        self.refused(stripe.IdempotencyError, call, status=400, message="('/v1/refunds' vs '/v1/payment_intents')")

    def test_keys_are_kept_for_each_account(self):
        seller, options = self.seller(), {"idempotency_key": "k1"}
        ours = self.stripe.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}, options)
        theirs = self.stripe.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}, {**options, "stripe_account": seller.id})
        self.assertNotEqual(ours.id, theirs.id)

    def test_a_declined_card_is_kept_and_a_bad_parameter_is_not(self):
        declined = {**TAKEN, "payment_method": "pm_card_chargeDeclined"}
        first, again = (post("payment_intents", declined, key="k1") for _ in range(2))
        self.assertEqual((first.status_code, first.content), (402, again.content))
        self.assertEqual(post("payment_intents", {**TAKEN, "amount": "ten"}, key="k2").status_code, 400)
        self.assertEqual(post("payment_intents", TAKEN, key="k2").status_code, 200)

    def test_keys_are_forgotten_after_a_day(self):
        first = self.pay(options={"idempotency_key": "k1"})
        self.advance(24 * 60 * 60 - 60)
        self.assertEqual(self.pay(options={"idempotency_key": "k1"}).id, first.id)
        self.advance(60)
        self.assertNotEqual(self.pay(options={"idempotency_key": "k1"}).id, first.id)

    def test_two_at_once_do_a_thing_once(self):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(post("payment_intents", TAKEN, key="k1"))) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertTrue(all(answer.status_code in (200, 409) for answer in answers), answers)
        self.assertEqual(len({answer.json()["id"] for answer in answers if answer.ok}), 1)
        self.assertEqual(len(self.stripe.v1.payment_intents.list().data), 1)


class Faults(Scenario):
    def taken(self, **options):
        return self.pay(options={"idempotency_key": "k1", **options})

    def made(self):
        return len(self.stripe.v1.payment_intents.list().data)

    def test_a_500_may_hide_what_was_done_and_the_key_keeps_it(self):
        self.fault("error_after")
        self.refused(stripe.APIError, self.taken, status=500)
        self.assertEqual(self.made(), 1)
        self.refused(stripe.APIError, self.taken, status=500)
        self.assertEqual(self.made(), 1)

    def test_a_500_may_stand_for_nothing_and_the_key_keeps_it(self):
        self.fault("error_instead")
        self.refused(stripe.APIError, self.taken, status=500)
        self.refused(stripe.APIError, self.taken, status=500)
        self.assertEqual(self.made(), 0)

    def test_a_lost_answer_is_there_the_next_time(self):
        for fault, made in (("drop_after", 1), ("drop_before", 0), ("hang", 1)):
            with self.subTest(fault):
                control("POST", "reset", {})
                self.fault(fault)
                self.refused(stripe.APIConnectionError, self.taken)
                self.assertEqual(self.made(), made)
                self.assertEqual(self.taken().status, "succeeded")
                self.assertEqual(self.made(), 1)

    def test_a_hurried_client_hangs_up_and_the_call_is_executed_all_the_same(self):
        self.fault("hang")
        hurried = client(http_client=stripe.RequestsClient(timeout=0.3))
        with self.assertRaises(stripe.APIConnectionError):
            hurried.v1.payment_intents.create(
                {"amount": 1000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa", "payment_method_types": ["card"]},
                {"idempotency_key": "k1"})
        self.assertEqual(self.taken().last_response.headers["idempotent-replayed"], "true")

    def test_what_did_not_begin_is_not_kept(self):
        for fault, error, status in (
            ("rate_limit", stripe.RateLimitError, 429), ("conflict", stripe.APIError, 409), ("unavailable", stripe.APIError, 503)
        ):
            with self.subTest(fault):
                control("POST", "reset", {})
                self.fault(fault)
                self.refused(error, self.taken, status=status)
                self.assertEqual(self.made(), 0)
                self.assertEqual(self.taken().status, "succeeded")

    def test_stripe_s_own_library_comes_through(self):
        control("POST", "faults", {"next": [{"fault": fault} for fault in ("drop_before", "drop_after", "conflict", "unavailable")]})
        persistent = client(max_network_retries=5)
        intent = persistent.v1.payment_intents.create(
            {"amount": 1000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa", "payment_method_types": ["card"]})
        self.assertEqual((intent.status, self.made()), ("succeeded", 1))

    def test_rates_follow_from_the_seed(self):
        def fates():
            control("POST", "reset", {"seed": 11})
            control("POST", "faults", {"rates": {"error_instead": 0.3, "rate_limit": 0.2}})
            return [post("payment_intents", TAKEN, key=f"k{number}").status_code for number in range(60)]
        first = fates()
        self.assertEqual(set(first), {200, 429, 500})
        self.assertEqual(first, fates())

    def test_calls_are_remembered(self):
        self.taken()
        self.taken()
        calls = control("GET", "calls")["calls"]
        seen = [(call["method"], call["path"], call["idempotency_key"], call["status"], call["replayed"]) for call in calls]
        self.assertEqual(seen, [("POST", "/v1/payment_intents", "k1", 200, again) for again in (False, True)])
