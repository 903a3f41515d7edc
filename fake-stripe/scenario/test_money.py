"""What follows a charge: refunds, transfers, reversals, payouts, disputes."""

import urllib.request

import stripe
from support import Scenario, control

DAY_S = 24 * 60 * 60


class Refunds(Scenario):
    def test_they_are_partial_and_repeated_and_never_more_than_was_taken(self):
        intent = self.pay(1000)
        refunds = self.stripe.v1.refunds
        first = refunds.create({"payment_intent": intent.id, "amount": 300, "metadata": {"refund": "rfd_1"}, "reason": "requested_by_customer"})
        self.assertEqual((first.status, first.amount, first.metadata["refund"]), ("succeeded", 300, "rfd_1"))
        refunds.create({"charge": intent.latest_charge, "amount": 200})
        self.refused(
            stripe.InvalidRequestError, lambda: refunds.create({"payment_intent": intent.id, "amount": 501}),
            message="Refund amount ($5.01) is greater than unrefunded amount on charge ($5.00)", param="amount",
        )
        self.assertEqual(refunds.create({"payment_intent": intent.id}).amount, 500)
        self.refused(stripe.InvalidRequestError, lambda: refunds.create({"payment_intent": intent.id}), code="charge_already_refunded")
        charge = self.charge_of(intent)
        self.assertEqual((charge.refunded, charge.amount_refunded), (True, 1000))
        self.assertEqual([refund.amount for refund in refunds.list({"payment_intent": intent.id}).data], [500, 200, 300])
        with_refunds = self.stripe.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
        self.assertEqual(len(with_refunds.refunds.data), 3)

    def test_a_hold_has_nothing_to_refund(self):
        intent = self.pay(capture_method="manual")
        self.refused(
            stripe.InvalidRequestError, lambda: self.stripe.v1.refunds.create({"payment_intent": intent.id}),
            message=f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
        )

    def test_one_may_be_pending_and_one_may_fail_later(self):
        pending = self.stripe.v1.refunds.create({"payment_intent": self.pay(card="pm_card_pendingRefund").id})
        self.assertEqual(pending.status, "pending")
        intent = self.pay(card="pm_card_refundFail")
        failing = self.stripe.v1.refunds.create({"payment_intent": intent.id})
        self.assertEqual(failing.status, "succeeded")
        self.advance(DAY_S)
        self.assertEqual(self.stripe.v1.refunds.retrieve(pending.id).status, "succeeded")
        failed = self.stripe.v1.refunds.retrieve(failing.id)
        self.assertEqual((failed.status, failed.failure_reason), ("failed", "expired_or_canceled_card"))
        self.assertEqual(self.charge_of(intent).amount_refunded, 0)
        self.assertIn("refund.failed", [event.type for event in self.webhooks()])


class Transfers(Scenario):
    def transfer(self, seller, charge, amount, **more):
        return self.stripe.v1.transfers.create(
            {"amount": amount, "currency": "usd", "destination": seller.id, "source_transaction": charge, **more})

    def test_they_take_from_a_charge_and_never_more_than_it(self):
        seller, intent = self.seller(), self.pay(1000, transfer_group="ord_7")
        transfer = self.transfer(seller, intent.latest_charge, 600, metadata={"payout": "pay_1"})
        self.assertEqual((transfer.transfer_group, transfer.reversed), ("ord_7", False))
        self.transfer(seller, intent.latest_charge, 300, transfer_group="mine")
        self.refused(
            stripe.InvalidRequestError, lambda: self.transfer(seller, intent.latest_charge, 101),
            message="must not exceed the source amount of $10.00. (There are already 2 transfers using this source",
        )
        listed = self.stripe.v1.transfers.list({"transfer_group": "ord_7"}).data
        self.assertEqual([(one.id, one.metadata["payout"]) for one in listed], [(transfer.id, "pay_1")])
        own = self.stripe.v1.charges.retrieve(transfer.destination_payment, options={"stripe_account": seller.id})
        self.assertEqual((own.amount, own.source_transfer), (600, transfer.id))
        balance = self.stripe.v1.balance.retrieve(options={"stripe_account": seller.id})
        self.assertEqual((balance.available[0].amount, balance.pending[0].amount), (0, 900))

    def test_a_charge_gets_a_group_with_its_first_transfer(self):
        intent = self.pay()
        transfer = self.transfer(self.seller(), intent.latest_charge, 500)
        self.assertEqual(transfer.transfer_group, f"group_{intent.id}")
        self.assertEqual(self.charge_of(intent).transfer_group, f"group_{intent.id}")

    def test_without_a_charge_the_money_must_be_available(self):
        seller = self.seller()
        call = lambda: self.stripe.v1.transfers.create({"amount": 500, "currency": "usd", "destination": seller.id})
        self.pay(1000)
        self.refused(stripe.InvalidRequestError, call, code="balance_insufficient")
        self.pay(1000, card="pm_card_bypassPending")
        self.assertEqual(call().amount, 500)

    def test_a_refund_leaves_transfers_alone_and_reversals_are_their_own_step(self):
        seller, intent = self.seller(), self.pay(1000)
        transfer = self.transfer(seller, intent.latest_charge, 900)
        self.stripe.v1.refunds.create({"payment_intent": intent.id})
        self.assertEqual(self.stripe.v1.transfers.retrieve(transfer.id).amount_reversed, 0)
        reversals = self.stripe.v1.transfers.reversals
        reversal = reversals.create(transfer.id, {"amount": 400, "metadata": {"step": "stp_1"}})
        self.assertEqual((reversal.object, reversal.transfer), ("transfer_reversal", transfer.id))
        self.refused(
            stripe.InvalidRequestError, lambda: reversals.create(transfer.id, {"amount": 501}),
            message="Reversal amount ($5.01) is greater than unreversed amount on transfer ($5.00)",
        )
        reversals.create(transfer.id)
        shown = self.stripe.v1.transfers.retrieve(transfer.id)
        self.assertEqual((shown.amount_reversed, shown.reversed, len(shown.reversals.data)), (900, True, 2))
        self.assertEqual([one.amount for one in reversals.list(transfer.id).data], [500, 400])
        self.assertEqual(reversals.retrieve(transfer.id, reversal.id).metadata["step"], "stp_1")
        balances = control("GET", "ledger")["balances"]
        self.assertEqual(balances[seller.id]["usd"]["available"] + balances[seller.id]["usd"]["pending"], 0)

    def test_who_is_not_known_well_enough_gets_nothing(self):
        account = self.stripe.v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
        self.assertEqual((account.capabilities.transfers, account.payouts_enabled), ("inactive", False))
        intent = self.pay()
        call = lambda: self.transfer(account, intent.latest_charge, 500)
        self.refused(stripe.InvalidRequestError, call, code="insufficient_capabilities_for_transfer")
        link = self.stripe.v1.account_links.create({
            "account": account.id, "type": "account_onboarding",
            "refresh_url": "https://shop.example/again", "return_url": f"{self.__class__.base()}/_fake/ledger"})
        urllib.request.urlopen(link.url, b"decision=complete").read()
        account = self.stripe.v1.accounts.retrieve(account.id)
        self.assertEqual((account.capabilities.transfers, account.payouts_enabled), ("active", True))
        self.assertEqual(call().destination, account.id)
        told = [event for event in self.webhooks() if event.type == "account.updated"]
        self.assertEqual(told[0].account, account.id)
        unknown = lambda: self.stripe.v1.transfers.create({"amount": 1, "currency": "usd", "destination": "acct_nobody"})
        self.refused(stripe.InvalidRequestError, unknown, code="resource_missing", param="destination")

    @staticmethod
    def base():
        import support
        return support.url

    def test_a_seller_is_paid_out(self):
        seller, intent = self.seller(), self.pay(1000)
        self.transfer(seller, intent.latest_charge, 900)
        options = {"stripe_account": seller.id}
        call = lambda: self.stripe.v1.payouts.create({"amount": 900, "currency": "usd"}, options)
        self.refused(stripe.InvalidRequestError, call, code="balance_insufficient")
        self.advance(2 * DAY_S)
        payout = call()
        self.assertEqual(payout.status, "pending")
        self.advance(DAY_S)
        self.assertEqual(self.stripe.v1.payouts.retrieve(payout.id, options=options).status, "paid")
        entries = self.stripe.v1.balance_transactions.list({}, options).data
        self.assertEqual([(entry.type, entry.net) for entry in entries], [("payout", -900), ("payment", 900)])
        self.refused(stripe.InvalidRequestError, lambda: self.stripe.v1.payouts.retrieve(payout.id), status=404)


class Disputes(Scenario):
    def test_money_and_fee_are_taken_and_come_back_to_who_wins(self):
        intent = self.pay(1000, card="pm_card_createDispute")
        dispute = self.stripe.v1.disputes.list({"payment_intent": intent.id}).data[0]
        self.assertEqual((dispute.status, dispute.reason, dispute.amount), ("needs_response", "fraudulent", 1000))
        entry = dispute.balance_transactions[0]
        self.assertEqual((entry.amount, entry.fee, entry.net), (-1000, 1500, -2500))
        self.assertTrue(self.charge_of(intent).disputed)
        self.refused(stripe.InvalidRequestError, lambda: self.stripe.v1.refunds.create({"payment_intent": intent.id}), code="charge_disputed")
        draft = self.stripe.v1.disputes.update(dispute.id, {"evidence": {"product_description": "Shoes"}, "submit": False})
        self.assertEqual((draft.status, draft.evidence_details.has_evidence), ("needs_response", True))
        sent = self.stripe.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
        self.assertEqual(sent.status, "under_review")
        won = self.stripe.v1.disputes.retrieve(dispute.id)
        self.assertEqual((won.status, len(won.balance_transactions)), ("won", 2))
        self.assertEqual(sum(entry.net for entry in won.balance_transactions), 0)
        kinds = [event.type for event in self.webhooks() if event.type.startswith("charge.dispute.")]
        self.assertEqual(kinds, [
            "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.updated", "charge.dispute.updated",
            "charge.dispute.funds_reinstated", "charge.dispute.closed"])

    def test_who_gives_up_loses(self):
        self.pay(card="pm_card_createDisputeProductNotReceived")
        dispute = self.stripe.v1.disputes.list().data[0]
        self.assertEqual(self.stripe.v1.disputes.close(dispute.id).status, "lost")
        self.refused(stripe.InvalidRequestError, lambda: self.stripe.v1.disputes.close(dispute.id), message="already closed")

    def test_evidence_may_lose_and_an_inquiry_takes_nothing(self):
        self.pay(card="pm_card_createDispute")
        dispute = self.stripe.v1.disputes.list().data[0]
        self.stripe.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "losing_evidence"}})
        self.assertEqual(self.stripe.v1.disputes.retrieve(dispute.id).status, "lost")
        self.pay(card="pm_card_createDisputeInquiry")
        inquiry = self.stripe.v1.disputes.list().data[0]
        self.assertEqual((inquiry.status, inquiry.balance_transactions), ("warning_needs_response", []))

    def test_one_may_come_at_any_time(self):
        intent = self.pay(1000)
        opened = control("POST", "disputes", {"charge": intent.latest_charge, "amount": 400, "reason": "duplicate"})
        self.assertEqual(opened["amount"], 400)
        control("POST", f"disputes/{opened['id']}/lost", {})
        self.assertEqual(self.stripe.v1.disputes.retrieve(opened["id"]).status, "lost")
        self.assertEqual(control("GET", "ledger")["payments"][0]["disputed"], 400)
