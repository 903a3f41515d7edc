//! The ledger by itself.

use chassis::tx;
use contract::{CurrencyCode, OrderId, PaymentId, SellerId, TransferId};
use entity::payments::{ledger_account, ledger_transfer};
use payments::ledger::{About, Account, Book, Entry, Posting, Reason, verify};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::books_are_right;
use crate::support::Market;

fn about() -> About {
    About { payment_id: PaymentId::new(), order_id: OrderId::new(), currency: CurrencyCode::EUR }
}

fn entry(posting: Posting, debit: Account, credit: Account, amount_minor: i64) -> Entry {
    let subject = TransferId::new().to_string();
    Entry { posting, debit, credit, amount_minor, reason: Reason::Release, subject }
}

async fn book(market: &Market, about: About, entries: Vec<Entry>) -> Result<(), chassis::Failure> {
    let now = market.clock.now();
    tx::apply(&market.env("payments").db, async |tx| {
        let mut book = Book::default();
        entries.into_iter().for_each(|entry| book.enter(now, about, None, entry));
        book.close(tx).await
    })
    .await
}

async fn account(market: &Market, account: Account) -> [i64; 4] {
    let id = account.id(CurrencyCode::EUR);
    let row = ledger_account::Entity::find_by_id(id).one(market.env("payments").db.read()).await.unwrap();
    row.map_or([0; 4], |row| [row.debits_posted, row.credits_posted, row.debits_pending, row.credits_pending])
}

souk_test! {
    async fn money_that_is_kept_back_cannot_be_spent_and_moves_or_stays_once(market: &Market) {
        let (about, seller) = (about(), SellerId::new());
        let (held, payable) = (Account::Held(about.order_id, seller), Account::Payable(seller));
        let (kept, moved) = (TransferId::new(), TransferId::new());
        book(market, about, vec![entry(Posting::Now, Account::Tax, held, 100)]).await.unwrap();
        book(market, about, vec![entry(Posting::Pending(kept), held, payable, 60)]).await.unwrap();
        book(market, about, vec![entry(Posting::Now, held, payable, 41)]).await.unwrap_err();
        book(market, about, vec![entry(Posting::Void(kept), held, payable, 60)]).await.unwrap();
        book(market, about, vec![entry(Posting::Pending(moved), held, payable, 70)]).await.unwrap();
        book(market, about, vec![entry(Posting::Post(moved), held, payable, 70)]).await.unwrap();
        book(market, about, vec![entry(Posting::Post(moved), held, payable, 70)]).await.unwrap_err();
        assert_eq!(account(market, held).await, [70, 100, 0, 0]);
        assert_eq!(account(market, payable).await, [0, 70, 0, 0]);
        assert_eq!(verify(&market.env("payments").db).await.unwrap().differences, []);
    }

    async fn two_who_open_the_same_account_at_once_both_count(market: &Market) {
        let about = about();
        let some = (0..8).map(|_| book(market, about, vec![entry(Posting::Now, Account::Tax, Account::PlatformFee, 5)]));
        futures::future::try_join_all(some).await.unwrap();
        assert_eq!(account(market, Account::PlatformFee).await, [0, 40, 0, 0]);
        books_are_right(market).await;
    }

    silent async fn nobody_changes_or_removes_an_entry(market: &Market) {
        let about = about();
        book(market, about, vec![entry(Posting::Now, Account::Tax, Account::PlatformFee, 5)]).await.unwrap();
        let db = market.env("payments").db.write();
        for statement in ["update ledger_transfer set amount_minor = 6", "delete from ledger_transfer"] {
            assert!(db.execute_unprepared(statement).await.is_err(), "{statement}");
        }
        let kept = ledger_transfer::Entity::find().one(db).await.unwrap().unwrap();
        assert_eq!(kept.amount_minor, 5);
    }

    silent async fn a_balance_that_does_not_follow_from_its_entries_is_found(market: &Market) {
        let about = about();
        book(market, about, vec![entry(Posting::Now, Account::Tax, Account::PlatformFee, 5)]).await.unwrap();
        books_are_right(market).await;
        ledger_account::Entity::update_many()
            .col_expr(ledger_account::Column::CreditsPosted, Expr::val(6_i64))
            .filter(ledger_account::Column::Id.eq("platform_fee:EUR"))
            .exec(market.env("payments").db.write())
            .await
            .unwrap();
        let report = verify(&market.env("payments").db).await.unwrap();
        assert_eq!(report.differences_total, 2, "the account, and debits are not credits: {report}");
    }
}
