//! Whether a database of PostgreSQL can be reached and written, asked on a connection of its own: a pool tries for a minute, and
//! says neither where nor why.

use std::io;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection, Postgres};

use super::super::{Store, StoreError, address};
use crate::config::StoreConfig;

/// Longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a server answers that starts, or that comes back after a crash (`cannot_connect_now`; PostgreSQL 15, Appendix A).
const STARTS: &str = "57P03";

/// Fails when the database can't be reached. A server that starts is waited for by whoever makes the pool.
pub(super) async fn reach(options: &PgConnectOptions) -> Result<(), StoreError> {
    match connected(options).await {
        Ok(connection) => {
            let _gone = connection.close().await;
            Ok(())
        }
        Err(error) if starts(&error) => Ok(()),
        Err(error) => Err(unreached(options, error)),
    }
}

async fn connected(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let connecting = Box::pin(PgConnection::connect_with(options));
    let Ok(connected) = tokio::time::timeout(PATIENCE, connecting).await else {
        let why = format!("no answer within {} s", PATIENCE.as_secs());
        return Err(io::Error::new(io::ErrorKind::TimedOut, why).into());
    };
    connected
}

fn starts(error: &sqlx::Error) -> bool {
    let refused = error.as_database_error();
    refused.and_then(|error| error.code()).as_deref() == Some(STARTS)
}

fn unreached(options: &PgConnectOptions, error: sqlx::Error) -> StoreError {
    let port = options.get_port();
    let place = match options.get_socket() {
        Some(folder) => format!("{}:{port}", folder.display()),
        None => format!("{}:{port}", options.get_host()),
    };
    StoreError::Unreached { place, error }
}

impl Store {
    /// Why the database of PostgreSQL that a configuration names takes no writes; `None` when it takes them, and for a file of
    /// SQLite.
    ///
    /// # Errors
    /// When it can't be reached.
    pub async fn refuses_writes(config: &StoreConfig) -> Result<Option<&'static str>, StoreError> {
        let Some(options) = address(config)? else {
            return Ok(None);
        };
        let connection = connected(&options).await;
        let mut connection = connection.map_err(|error| unreached(&options, error))?;
        let asked = sqlx::query_as::<Postgres, (bool, bool)>(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'",
        );
        let (is_standby, is_read_only) = Box::pin(asked.fetch_one(&mut connection)).await?;
        let _gone = connection.close().await;
        Ok(match (is_standby, is_read_only) {
            (true, _) => Some("it is a standby (pg_is_in_recovery)"),
            (_, true) => Some("its transactions are read-only (default_transaction_read_only)"),
            (false, false) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use tandem_simulators::postgres::Cluster;

    use super::*;

    #[tokio::test]
    async fn where_nobody_listens_is_told_at_once_with_the_address_and_the_cause() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let free = listener.local_addr().unwrap();
        drop(listener);
        let options: PgConnectOptions = format!("postgres://tandem@{free}/county").parse().unwrap();
        let error = reach(&options).await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("cannot reach the database at {free}: "))
                && error.to_lowercase().contains("refused"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_database_that_does_not_exist_is_told_once() {
        let cluster = Cluster::start(false).unwrap();
        let options: PgConnectOptions = cluster.database().unwrap().parse().unwrap();
        reach(&options).await.unwrap();
        let error = reach(&options.database("nodb")).await.unwrap_err();
        let told = format!("{:#}", anyhow::Error::new(error));
        assert_eq!(told.matches("nodb").count(), 1, "{told}");
        assert!(!told.contains("at line"), "{told}");
    }

    #[tokio::test]
    async fn a_database_that_is_set_to_read_only_refuses_writes_until_it_is_set_back() {
        let cluster = Cluster::start(false).unwrap();
        let address = cluster.database().unwrap();
        let config = StoreConfig {
            postgres: Some(address.parse().unwrap()),
            ..StoreConfig::default()
        };
        assert_eq!(Store::refuses_writes(&config).await.unwrap(), None);
        let mut connection = PgConnection::connect(&address).await.unwrap();
        for (statement, refuses) in [
            (
                "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on",
                true,
            ),
            ("SET default_transaction_read_only = off", true),
            (
                "ALTER ROLE CURRENT_USER RESET default_transaction_read_only",
                false,
            ),
        ] {
            let statement = sqlx::query(statement);
            statement.execute(&mut connection).await.unwrap();
            let told = Store::refuses_writes(&config).await.unwrap();
            assert_eq!(told.is_some(), refuses, "{told:?}");
        }
    }
}
