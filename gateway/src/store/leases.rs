//! Who of the gateways on one database does what only one may do. Statements of PostgreSQL: a file of SQLite has one gateway.

use std::collections::BTreeSet;
use std::time::Duration;

use super::engine::Engine;
use super::sql::{Open, Session, query};
use super::{Store, StoreError, Tx};

/// Beginning of the name under which a gateway says that it is there.
const GATEWAY: &str = "gateway/";

/// The microseconds since 1970 by the clock of the database, which all gateways share.
macro_rules! now {
    () => {
        "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT"
    };
}

impl Tx {
    /// This writer lets others wait longer than between two statements: a server that takes it for one that stands still leaves it alone
    /// for some minutes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stands_still(&mut self) -> Result<(), StoreError> {
        if self.is_shared() {
            query("SET LOCAL idle_in_transaction_session_timeout = '10min'")
                .execute(&mut self.inner)
                .await?;
        }
        Ok(())
    }
}

impl Store {
    /// Whether other gateways may share the store.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres { .. })
    }

    /// Says that this gateway is there, and which duties there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn join(&self, duties: &BTreeSet<String>) -> Result<(), StoreError> {
        let Some(pool) = self.engine.shared() else {
            return Ok(());
        };
        let own = [self.own_lease()];
        for name in duties.iter().chain(&own) {
            sqlx::query(
                "INSERT INTO lease (jurisdiction, name, holder, until) VALUES ($1, $2, $3, 0) \
                 ON CONFLICT (jurisdiction, name) DO NOTHING",
            )
            .bind(self.sealer.jurisdiction().as_str())
            .bind(name)
            .bind(self.instance.as_bytes().as_slice())
            .execute(pool)
            .await?;
        }
        Ok(())
    }

    /// Keeps what this gateway holds, and its own place among the others. Returns the duties that it still holds, and how many
    /// gateways there are: not those that have no connection to the database and have not kept their place for `silence`, whose duties
    /// are free (see [`Store::claim`]).
    ///
    /// # Errors
    /// When the store fails; then it must be taken that nothing was kept.
    pub async fn renew(
        &self,
        time: Duration,
        silence: Duration,
    ) -> Result<(BTreeSet<String>, i64), StoreError> {
        let Some(pool) = self.engine.shared() else {
            return Ok((BTreeSet::new(), 1));
        };
        let held: Vec<String> = sqlx::query_scalar(concat!(
            "UPDATE lease SET until = ",
            now!(),
            " + $3 WHERE jurisdiction = $1 AND holder = $2 AND (until >= ",
            now!(),
            " OR name = $4) RETURNING name"
        ))
        .bind(self.sealer.jurisdiction().as_str())
        .bind(self.instance.as_bytes().as_slice())
        .bind(micros(time))
        .bind(self.own_lease())
        .fetch_all(pool)
        .await?;
        let gateways: i64 = sqlx::query_scalar(concat!(
            "SELECT COUNT(*) FROM lease WHERE jurisdiction = $1 AND name LIKE 'gateway/%' AND until >= ",
            now!(),
            " AND (until >= ",
            now!(),
            " + $2 OR EXISTS (SELECT 1 FROM pg_stat_activity \
             WHERE application_name = 'tandem ' || encode(holder, 'hex')))"
        ))
        .bind(self.sealer.jurisdiction().as_str())
        .bind(micros(time.saturating_sub(silence)))
        .fetch_one(pool)
        .await?;
        let duties = held.into_iter().filter(|name| !name.starts_with(GATEWAY));
        Ok((duties.collect(), gateways.max(1)))
    }

    /// Takes one of the duties that nobody holds: whose time is over, or whose holder has no connection to the database and
    /// has not kept it for `silence`. Two gateways that ask at one time get different ones.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim(
        &self,
        duties: &BTreeSet<String>,
        time: Duration,
        silence: Duration,
    ) -> Result<Option<String>, StoreError> {
        let Some(pool) = self.engine.shared() else {
            return Ok(None);
        };
        let duties: Vec<&str> = duties.iter().map(String::as_str).collect();
        Ok(sqlx::query_scalar(concat!(
            "WITH free AS (SELECT jurisdiction, name FROM lease \
             WHERE jurisdiction = $1 AND name = ANY($4) AND (until < ",
            now!(),
            " OR (until < ",
            now!(),
            " + $5 AND NOT EXISTS (SELECT 1 FROM pg_stat_activity \
             WHERE application_name = 'tandem ' || encode(holder, 'hex')))) \
             ORDER BY name LIMIT 1 FOR UPDATE SKIP LOCKED) \
             UPDATE lease SET holder = $2, until = ",
            now!(),
            " + $3 FROM free WHERE lease.jurisdiction = free.jurisdiction AND lease.name = free.name \
             RETURNING lease.name"
        ))
        .bind(self.sealer.jurisdiction().as_str())
        .bind(self.instance.as_bytes().as_slice())
        .bind(micros(time))
        .bind(duties)
        .bind(micros(time.saturating_sub(silence)))
        .fetch_optional(pool)
        .await?)
    }

    /// Gives a duty up, for whoever asks next.
    ///
    /// # Errors
    /// When the store fails; then it is free when its time is over.
    pub async fn release(&self, duty: &str) -> Result<(), StoreError> {
        let Some(pool) = self.engine.shared() else {
            return Ok(());
        };
        sqlx::query(
            "UPDATE lease SET until = 0 WHERE jurisdiction = $1 AND name = $2 AND holder = $3",
        )
        .bind(self.sealer.jurisdiction().as_str())
        .bind(duty)
        .bind(self.instance.as_bytes().as_slice())
        .execute(pool)
        .await?;
        Ok(())
    }

    /// Leaves the others: everything that this gateway holds is free.
    ///
    /// # Errors
    /// When the store fails; then it is free when its time is over.
    pub async fn leave(&self) -> Result<(), StoreError> {
        let Some(pool) = self.engine.shared() else {
            return Ok(());
        };
        let mut leaving = pool.begin().await?;
        sqlx::query("UPDATE lease SET until = 0 WHERE jurisdiction = $1 AND holder = $2")
            .bind(self.sealer.jurisdiction().as_str())
            .bind(self.instance.as_bytes().as_slice())
            .execute(&mut *leaving)
            .await?;
        sqlx::query("DELETE FROM lease WHERE jurisdiction = $1 AND name = $2")
            .bind(self.sealer.jurisdiction().as_str())
            .bind(self.own_lease())
            .execute(&mut *leaving)
            .await?;
        Ok(leaving.commit().await?)
    }

    /// Tells the other gateways which keys this one holds and by which it seals. What it sealed with an older one is
    /// durable before.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn tell_keys(&self) -> Result<(), StoreError> {
        let Some(pool) = self.engine.shared() else {
            return Ok(());
        };
        let holds = self.sealer.keys().into_keys().max().unwrap_or(0);
        let (holds, seals) = (i64::from(holds), i64::from(self.sealer.sealing()));
        let told: Option<(Option<i64>, Option<i64>)> =
            sqlx::query_as("SELECT holds, seals FROM lease WHERE jurisdiction = $1 AND name = $2")
                .bind(self.sealer.jurisdiction().as_str())
                .bind(self.own_lease())
                .fetch_optional(pool)
                .await?;
        if told.is_none_or(|told| told == (Some(holds), Some(seals))) {
            return Ok(());
        }
        self.begin_apart().await?.commit().await?;
        sqlx::query(
            "UPDATE lease SET holds = $3, seals = $4 WHERE jurisdiction = $1 AND name = $2",
        )
        .bind(self.sealer.jurisdiction().as_str())
        .bind(self.own_lease())
        .bind(holds)
        .bind(seals)
        .execute(pool)
        .await?;
        Ok(())
    }

    /// How many other gateways hold no key of this number or a later one.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn gateways_that_hold_below(&self, number: u32) -> Result<i64, StoreError> {
        self.gateways_below(
            concat!(
                "SELECT COUNT(*) FROM lease WHERE jurisdiction = $1 AND name LIKE 'gateway/%' AND name <> $2 \
                 AND COALESCE(holds, 0) < $3 AND until >= ",
                now!()
            ),
            number,
        )
        .await
    }

    /// How many other gateways may still seal with a key before this one.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn gateways_that_seal_below(&self, number: u32) -> Result<i64, StoreError> {
        self.gateways_below(
            concat!(
                "SELECT COUNT(*) FROM lease WHERE jurisdiction = $1 AND name LIKE 'gateway/%' AND name <> $2 \
                 AND COALESCE(seals, 0) < $3 AND until >= ",
                now!()
            ),
            number,
        )
        .await
    }

    async fn gateways_below(
        &self,
        statement: &'static str,
        number: u32,
    ) -> Result<i64, StoreError> {
        let Some(pool) = self.engine.shared() else {
            return Ok(0);
        };
        Ok(sqlx::query_scalar(statement)
            .bind(self.sealer.jurisdiction().as_str())
            .bind(self.own_lease())
            .bind(i64::from(number))
            .fetch_one(pool)
            .await?)
    }

    /// How many gateways of the jurisdiction are there: those that keep their place or have a connection, and those
    /// that were just started and have no place yet, of whichever jurisdiction.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn gateways(&self, session: &mut Session) -> Result<i64, StoreError> {
        let Open::Postgres(session) = &mut session.open else {
            return Ok(0);
        };
        Ok(sqlx::query_scalar(concat!(
            "SELECT (SELECT COUNT(*) FROM lease WHERE jurisdiction = $1 AND name LIKE 'gateway/%' AND (until >= ",
            now!(),
            " OR EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'tandem ' || encode(holder, 'hex')))) + \
             (SELECT COUNT(DISTINCT application_name) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'tandem %' \
             AND NOT EXISTS (SELECT 1 FROM lease WHERE application_name = 'tandem ' || encode(holder, 'hex')))"
        ))
        .bind(self.sealer.jurisdiction().as_str())
        .fetch_one(&mut **session)
        .await?)
    }

    fn own_lease(&self) -> String {
        format!("{GATEWAY}{}", self.instance)
    }
}

/// The name of a gateway's connections, by which others see that it is there.
pub(super) fn session_of(instance: uuid::Uuid) -> String {
    format!("tandem {}", instance.simple())
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::super::sql::query_scalar;
    use super::super::tests::on_postgres;
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn duties(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[tokio::test]
    async fn a_duty_is_one_gateways_until_it_gives_it_up_or_its_time_is_over() {
        let place = on_postgres().await;
        let (first, second) = (place.store.clone(), place.another().await);
        let all = duties(&["lane/a", "lane/b"]);
        for store in [&first, &second] {
            store.join(&all).await.unwrap();
        }
        assert_eq!(
            first.claim(&all, LONG, LONG).await.unwrap().as_deref(),
            Some("lane/a")
        );
        assert_eq!(
            second.claim(&all, LONG, LONG).await.unwrap().as_deref(),
            Some("lane/b")
        );
        assert_eq!(first.claim(&all, LONG, LONG).await.unwrap(), None);
        assert_eq!(
            first.renew(LONG, LONG).await.unwrap(),
            (duties(&["lane/a"]), 1)
        );
        assert_eq!(
            second.renew(LONG, LONG).await.unwrap(),
            (duties(&["lane/b"]), 2)
        );
        // Nobody gives up what is another's.
        second.release("lane/a").await.unwrap();
        assert_eq!(second.claim(&all, LONG, LONG).await.unwrap(), None);
        first.release("lane/a").await.unwrap();
        assert_eq!(
            second
                .claim(&all, Duration::ZERO, LONG)
                .await
                .unwrap()
                .as_deref(),
            Some("lane/a")
        );
        assert_eq!(
            first.claim(&all, LONG, LONG).await.unwrap().as_deref(),
            Some("lane/a")
        );
        // Whose time was over does not get it back by keeping it.
        assert_eq!(
            second.renew(LONG, LONG).await.unwrap(),
            (duties(&["lane/b"]), 2)
        );
        second.leave().await.unwrap();
        assert_eq!(
            first.renew(LONG, LONG).await.unwrap(),
            (duties(&["lane/a"]), 1)
        );
        assert_eq!(
            first.claim(&all, LONG, LONG).await.unwrap().as_deref(),
            Some("lane/b")
        );
    }

    #[tokio::test]
    async fn the_duties_of_a_gateway_without_a_connection_are_free_once_it_was_silent_for_a_while()
    {
        let place = on_postgres().await;
        let (first, second) = (place.store.clone(), place.another().await);
        let all = duties(&["pipeline"]);
        second.join(&all).await.unwrap();
        assert!(second.claim(&all, LONG, LONG).await.unwrap().is_some());
        assert_eq!(first.claim(&all, LONG, Duration::ZERO).await.unwrap(), None);
        first.join(&all).await.unwrap();
        second.renew(LONG, LONG).await.unwrap();
        assert_eq!(first.renew(LONG, Duration::ZERO).await.unwrap().1, 2);
        second.close().await;
        assert_eq!(first.claim(&all, LONG, LONG).await.unwrap(), None);
        let taken = async {
            // The server ends a connection some moments after it was closed.
            while first
                .claim(&all, LONG, Duration::ZERO)
                .await
                .unwrap()
                .is_none()
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), taken)
            .await
            .unwrap();
        // It has no share of the duties any more.
        assert_eq!(first.renew(LONG, Duration::ZERO).await.unwrap().1, 1);
    }

    /// Frozen with the lock of those who write: the server gives it to the others.
    #[tokio::test]
    async fn a_gateway_that_stands_still_holds_up_no_other_one_for_ever() {
        let place = on_postgres().await;
        let (frozen, other) = (place.store.clone(), place.another().await);
        let mut held = frozen.begin().await.unwrap();
        let limit = "SELECT current_setting('idle_in_transaction_session_timeout')";
        let limit: String = query_scalar(limit)
            .fetch_one(&mut held.inner)
            .await
            .unwrap();
        assert_eq!(limit, "20s");
        query("SET LOCAL idle_in_transaction_session_timeout = '200ms'")
            .execute(&mut held.inner)
            .await
            .unwrap();
        let writes = async { other.begin().await.unwrap().commit().await.unwrap() };
        let free = tokio::time::timeout(Duration::from_secs(60), writes).await;
        assert!(free.is_ok());
        let late = query_scalar("SELECT CAST(1 AS BIGINT)");
        let late: Result<i64, _> = late.fetch_one(&mut held.inner).await;
        assert!(late.is_err(), "what it had begun is not gone on with");
    }
}
