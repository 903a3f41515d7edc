//! One operation, one transaction, opened here.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use contract::Envelope;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, Insert,
    IntoActiveModel, QueryResult, Statement,
};

use crate::failpoint::{self, Place};
use crate::{Database, Engine, Failure, Outcome, outbox};

/// An open transaction. It remembers what was said in it, so that listeners hear it after the commit and not before.
pub struct Tx {
    inner: DatabaseTransaction,
    engine: Engine,
    said: Mutex<Vec<Arc<Envelope>>>,
    afterwards: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Tx {
    pub fn engine(&self) -> Engine {
        self.engine
    }

    pub(crate) fn remember(&self, event: Envelope) {
        self.said.lock().expect("no code panics while it holds this lock").push(Arc::new(event));
    }

    fn said(&self) -> Vec<Arc<Envelope>> {
        self.said.lock().expect("no code panics while it holds this lock").clone()
    }

    /// Does `work` right after the commit; never when the transaction is rolled back. Only for what a crash may lose:
    /// waking a worker of this process.
    pub fn after_commit(&self, work: impl FnOnce() + Send + 'static) {
        self.afterwards.lock().expect("no code panics while it holds this lock").push(Box::new(work));
    }
}

/// Runs `work` in one transaction: commits what succeeded, rolls back a refusal as well as a failure.
///
/// ```ignore
/// tx::run(&env.db, async |tx| product::create(tx, now, command).await).await
/// ```
pub async fn run<T, R>(db: &Database, work: impl AsyncFnOnce(&Tx) -> Outcome<T, R>) -> Outcome<T, R> {
    let tx = Tx {
        inner: db.begin().await?,
        engine: db.engine(),
        said: Mutex::default(),
        afterwards: Mutex::default(),
    };
    match work(&tx).await? {
        Ok(done) => {
            let said = tx.said();
            outbox::write(&tx, &said).await?;
            failpoint::pass(db.service(), Place::BeforeCommit);
            tx.inner.commit().await?;
            failpoint::pass(db.service(), Place::AfterCommit);
            db.announce(said);
            let afterwards = tx.afterwards.into_inner().expect("no code panics while it holds this lock");
            afterwards.into_iter().for_each(|work| work());
            Ok(Ok(done))
        }
        Err(refusal) => {
            tx.inner.rollback().await?;
            Ok(Err(refusal))
        }
    }
}

/// [`run`] for work that nobody can refuse.
pub async fn apply<T>(
    db: &Database,
    work: impl AsyncFnOnce(&Tx) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Ok(done) = run(db, async |tx| Ok(Ok::<T, Infallible>(work(tx).await?))).await?;
    Ok(done)
}

/// Inserts a row unless one is there that it may not stand beside; whether it did. Of two who insert the same at once, one
/// waits for the other and then does not.
pub async fn insert_unless_there<A: ActiveModelTrait>(
    tx: &Tx,
    row: impl IntoActiveModel<A>,
) -> Result<bool, Failure> {
    let inserted = Insert::<A>::one(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(inserted == 1)
}

#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}
