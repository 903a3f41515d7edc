"""Payment intents: holds, captures, declines and the buyer's bank."""

import urllib.parse
import urllib.request

import stripe
from support import Scenario, control

DAY_S = 24 * 60 * 60


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def at_the_bank(url, decision):
    """The buyer's browser: chooses, and gives where they are sent back to."""
    body = urllib.parse.urlencode({"decision": decision}).encode()
    try:
        with urllib.request.build_opener(NoRedirect).open(url, body) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as redirect:
        return redirect.headers["location"]


class Payments(Scenario):
    def test_a_payment_is_taken_at_once(self):
        intent = self.pay(2000, metadata={"order": "ord_1"}, description="Shoes")
        self.assertEqual((intent.status, intent.amount_received, intent.currency), ("succeeded", 2000, "usd"))
        self.assertEqual(intent.metadata["order"], "ord_1")
        charge = self.charge_of(intent)
        self.assertEqual((charge.captured, charge.amount_captured, charge.paid), (True, 2000, True))
        self.assertEqual(charge.payment_method_details.card.last4, "4242")
        self.assertEqual(charge.metadata["order"], "ord_1")

    def test_a_hold_is_captured_in_part_and_the_rest_is_released(self):
        intent = self.pay(2000, capture_method="manual")
        self.assertEqual((intent.status, intent.amount_capturable), ("requires_capture", 2000))
        held = self.charge_of(intent)
        self.assertEqual((held.captured, held.balance_transaction), (False, None))
        self.assertGreater(held.payment_method_details.card.capture_before, held.created)
        self.refused(
            stripe.InvalidRequestError,
            lambda: self.stripe.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2001}),
            code="amount_too_large", param="amount_to_capture",
        )
        captured = self.stripe.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1500})
        self.assertEqual((captured.status, captured.amount_received, captured.amount_capturable), ("succeeded", 1500, 0))
        charge = self.charge_of(intent)
        self.assertEqual((charge.amount_captured, charge.amount_refunded, charge.refunded), (1500, 500, False))
        self.refused(
            stripe.InvalidRequestError,
            lambda: self.stripe.v1.payment_intents.capture(intent.id),
            code="payment_intent_unexpected_state", message="it has already been captured",
        )

    def test_the_fee_is_on_the_balance_transaction(self):
        intent = self.pay(10_000)
        shown = self.stripe.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge.balance_transaction"]})
        entry = shown.latest_charge.balance_transaction
        self.assertEqual((entry.amount, entry.fee, entry.net, entry.type), (10_000, 320, 9680, "charge"))
        self.assertEqual(entry.fee_details[0].type, "stripe_fee")

    def test_it_may_be_made_updated_and_confirmed_one_by_one(self):
        intents = self.stripe.v1.payment_intents
        intent = intents.create({
            "amount": 1000, "currency": "EUR", "capture_method": "manual",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        })
        self.assertEqual((intent.status, intent.currency), ("requires_payment_method", "eur"))
        self.refused(
            stripe.InvalidRequestError, lambda: intents.confirm(intent.id),
            code="payment_intent_unexpected_state", message="missing a payment method",
        )
        intent = intents.update(intent.id, {"amount": 1200, "payment_method": "pm_card_visa", "metadata": {"a": "1", "b": "2"}})
        self.assertEqual((intent.status, intent.amount), ("requires_confirmation", 1200))
        intent = intents.update(intent.id, {"metadata": {"a": ""}})
        self.assertEqual(intent.metadata.to_dict(), {"b": "2"})
        intent = intents.confirm(intent.id)
        self.assertEqual(intent.status, "requires_capture")
        self.refused(
            stripe.InvalidRequestError, lambda: intents.update(intent.id, {"amount": 1300}),
            code="payment_intent_unexpected_state", message="status of requires_capture",
        )
        self.refused(stripe.InvalidRequestError, lambda: intents.confirm(intent.id), code="payment_intent_unexpected_state")

    def test_methods_that_redirect_need_somewhere_to_return(self):
        call = lambda **more: self.stripe.v1.payment_intents.create(
            {"amount": 1000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa", **more})
        self.refused(stripe.InvalidRequestError, call, message="you must provide a `return_url`")
        self.assertEqual(call(return_url="https://shop.example/back").status, "succeeded")

    def test_banks_decline_for_their_reasons(self):
        for card, code, decline_code in [
            ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
            ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
            ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ]:
            refusal = self.refused(stripe.CardError, lambda: self.pay(card=card), code=code, status=402)
            self.assertEqual(refusal.error.decline_code, decline_code)
            self.assertTrue(refusal.error.doc_url.startswith("https://stripe.com/docs/error-codes/"))
            intent = self.stripe.v1.payment_intents.retrieve(refusal.error.payment_intent.id)
            self.assertEqual((intent.status, intent.payment_method), ("requires_payment_method", None))
            self.assertEqual(intent.last_payment_error.decline_code, decline_code)
            charge = self.stripe.v1.charges.retrieve(refusal.error.charge)
            self.assertEqual((charge.status, charge.paid, charge.failure_code), ("failed", False, code))
            again = self.stripe.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
            self.assertEqual((again.status, again.last_payment_error), ("succeeded", None))

    def test_cards_come_by_token_and_number_too(self):
        data = {"type": "card", "card": {"token": "tok_chargeDeclinedInsufficientFunds"}}
        call = lambda: self.stripe.v1.payment_intents.create({
            "amount": 1000, "currency": "usd", "confirm": True, "payment_method_types": ["card"], "payment_method_data": data})
        self.assertEqual(self.refused(stripe.CardError, call).error.decline_code, "insufficient_funds")
        method = self.stripe.v1.payment_methods.create({
            "type": "card", "card": {"number": "5555555555554444", "exp_month": 12, "exp_year": 2034, "cvc": "123"}})
        self.assertEqual(method.card.brand, "mastercard")
        self.assertEqual(self.pay(card=method.id).payment_method, method.id)
        self.refused(stripe.InvalidRequestError, lambda: self.pay(card="pm_nonsense"), code="resource_missing", param="payment_method")

    def test_the_buyer_authenticates_and_comes_back(self):
        for capture_method, status in [("manual", "requires_capture"), ("automatic", "succeeded")]:
            intent = self.pay(
                card="pm_card_authenticationRequired", capture_method=capture_method, return_url="https://shop.example/back?x=1")
            self.assertEqual((intent.status, intent.next_action.type), ("requires_action", "redirect_to_url"))
            self.assertIsNone(intent.latest_charge)
            bank = intent.next_action.redirect_to_url.url
            self.assertIn("Complete authentication", urllib.request.urlopen(bank).read().decode())
            back = at_the_bank(bank, "complete")
            self.assertTrue(back.startswith("https://shop.example/back?x=1&payment_intent=" + intent.id), back)
            self.assertTrue(back.endswith("redirect_status=succeeded"), back)
            self.assertEqual(self.stripe.v1.payment_intents.retrieve(intent.id).status, status)

    def test_a_buyer_who_cannot_authenticate_pays_nothing(self):
        intent = self.pay(card="pm_card_threeDSecure2Required", use_stripe_sdk=True)
        self.assertEqual(intent.next_action.type, "use_stripe_sdk")
        at_the_bank(intent.next_action.use_stripe_sdk.stripe_js, "fail")
        intent = self.stripe.v1.payment_intents.retrieve(intent.id)
        self.assertEqual(intent.status, "requires_payment_method")
        self.assertEqual(intent.last_payment_error.code, "payment_intent_authentication_failure")
        self.assertEqual(self.stripe.v1.charges.list({"payment_intent": intent.id}).data, [])
        authenticated = self.pay(card="pm_card_threeDSecureRequiredChargeDeclined")
        at_the_bank(authenticated.next_action.use_stripe_sdk.stripe_js, "complete")
        intent = self.stripe.v1.payment_intents.retrieve(authenticated.id)
        self.assertEqual((intent.status, intent.last_payment_error.code), ("requires_payment_method", "card_declined"))

    def test_without_the_buyer_there_is_no_authentication(self):
        for option in ({"off_session": True}, {"error_on_requires_action": True}):
            call = lambda: self.pay(card="pm_card_authenticationRequired", **option)
            self.refused(stripe.CardError, call, code="authentication_required", status=402)

    def test_a_hold_is_cancelled(self):
        intent = self.pay(capture_method="manual")
        cancelled = self.stripe.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "requested_by_customer"})
        self.assertEqual((cancelled.status, cancelled.cancellation_reason), ("canceled", "requested_by_customer"))
        charge = self.charge_of(intent)
        self.assertEqual((charge.refunded, charge.captured, charge.amount_refunded), (True, False, 1000))
        released = self.stripe.v1.refunds.list({"payment_intent": intent.id}).data
        self.assertEqual([(refund.amount, refund.balance_transaction) for refund in released], [(1000, None)])
        for call in (self.stripe.v1.payment_intents.cancel, self.stripe.v1.payment_intents.capture):
            self.refused(
                stripe.InvalidRequestError, lambda: call(intent.id),
                code="payment_intent_unexpected_state", message="status of canceled",
            )

    def test_what_was_taken_cannot_be_cancelled(self):
        intent = self.pay()
        refusal = self.refused(
            stripe.InvalidRequestError, lambda: self.stripe.v1.payment_intents.cancel(intent.id),
            code="payment_intent_unexpected_state", message="because it has a status of succeeded. Only a PaymentIntent with",
        )
        self.assertEqual(refusal.error.payment_intent.id, intent.id)

    def test_a_hold_that_nobody_captures_ends_after_a_week(self):
        intent = self.pay(capture_method="manual")
        self.advance(7 * DAY_S - 60)
        self.assertEqual(self.stripe.v1.payment_intents.retrieve(intent.id).status, "requires_capture")
        self.advance(60)
        ended = self.stripe.v1.payment_intents.retrieve(intent.id)
        self.assertEqual((ended.status, ended.cancellation_reason), ("canceled", "automatic"))
        self.assertEqual(self.stripe.v1.refunds.list({"charge": ended.latest_charge}).data[0].reason, "expired_uncaptured_charge")

    def test_the_ledger_tells_what_was_done(self):
        intent = self.pay(1000, metadata={"order": "ord_9"})
        self.stripe.v1.refunds.create({"payment_intent": intent.id, "amount": 300})
        payment = control("GET", "ledger")["payments"][0]
        self.assertEqual(payment["metadata"], {"order": "ord_9"})
        self.assertEqual([payment[name] for name in ("captured", "refunded", "fee", "approved_charges")], [1000, 300, 59, 1])
