"""Events: listed, and delivered with a signature that Stripe's library accepts."""

import stripe
import support
from support import Scenario, control, receiver


class Webhooks(Scenario):
    def test_a_payment_is_told_in_order_and_signed(self):
        intent = self.pay(capture_method="manual", options={"idempotency_key": "k1"})
        self.stripe.v1.payment_intents.capture(intent.id)
        self.stripe.v1.refunds.create({"payment_intent": intent.id, "amount": 400})
        events = self.webhooks()
        self.assertEqual([event.type for event in events], [
            "payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated",
            "charge.captured", "payment_intent.succeeded", "charge.refunded", "refund.created"])
        self.assertEqual(events[0]["request"]["idempotency_key"], "k1")
        self.assertEqual((events[2].data.object.id, events[2].data.object.status), (intent.id, "requires_capture"))
        self.assertEqual(events[5].data.previous_attributes["amount_refunded"], 0)
        listed = [event.id for event in self.stripe.v1.events.list({"limit": 100}).data]
        self.assertEqual(listed, [event.id for event in reversed(events)])
        self.assertEqual(self.stripe.v1.events.retrieve(events[0].id).type, "payment_intent.created")
        kinds = {event.type for event in self.stripe.v1.events.list({"types": ["charge.captured", "refund.created"]}).data}
        self.assertEqual(kinds, {"charge.captured", "refund.created"})
        self.assertEqual(len(self.stripe.v1.events.list({"type": "charge.*"}).data), 3)

    def test_a_forged_or_old_one_is_refused(self):
        self.pay()
        self.webhooks()
        body, signature = receiver.heard[0]
        for forged, secret in ((body.replace(b"1000", b"9999"), support.WEBHOOK_SECRET), (body, "whsec_other")):
            with self.assertRaises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(forged, signature, secret)
        old = signature.replace("t=", "t=1")
        with self.assertRaises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, old, support.WEBHOOK_SECRET)

    def test_they_come_doubled_late_and_shuffled_on_request(self):
        control("POST", "webhooks", {"doubled": 0.4, "late_ms_max": 150, "held": True})
        for _ in range(20):
            self.pay()
        self.assertEqual(receiver.heard, [])
        control("POST", "webhooks", {"held": False})
        came = [event.id for event in self.webhooks()]
        said = [event.id for event in self.stripe.v1.events.list({"limit": 100}).auto_paging_iter()][::-1]
        self.assertEqual(set(came), set(said))
        self.assertGreater(len(came), len(said))
        self.assertNotEqual(list(dict.fromkeys(came)), said)

    def test_one_that_is_not_taken_comes_again(self):
        receiver.answers.extend([500, 500])
        self.pay()
        came = [event.id for event in self.webhooks()]
        self.assertEqual((len(came), len(set(came))), (5, 3))

    def test_one_may_be_sent_again_by_hand(self):
        self.pay()
        first = self.webhooks()[0]
        control("POST", f"events/{first.id}/send", {})
        self.assertEqual([event.id for event in self.webhooks()].count(first.id), 2)

    def test_endpoints_hear_what_they_asked_for(self):
        endpoints = self.stripe.v1.webhook_endpoints
        endpoint = endpoints.create({"url": receiver.url, "enabled_events": ["charge.refunded"]})
        self.assertTrue(endpoint.secret.startswith("whsec_"))
        intent = self.pay()
        self.stripe.v1.refunds.create({"payment_intent": intent.id})
        control("POST", "webhooks/flush", {})
        heard = []
        for body, signature in receiver.heard:
            try:
                heard.append(stripe.Webhook.construct_event(body, signature, endpoint.secret).type)
            except stripe.SignatureVerificationError:
                pass
        self.assertEqual(heard, ["charge.refunded"])
        self.assertFalse(hasattr(endpoints.retrieve(endpoint.id), "secret"))
        self.assertTrue(endpoints.delete(endpoint.id).deleted)
        self.assertEqual(len(endpoints.list().data), 1)
