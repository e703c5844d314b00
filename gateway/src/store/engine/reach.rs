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
/// What it answers while all its connections are taken (`too_many_connections`).
const FULL: &str = "53300";
/// Between two tries of one that may come.
const PAUSE: Duration = Duration::from_secs(1);

/// Fails when the database can't be reached. A server that starts is waited for by whoever makes the pool.
pub(super) async fn reach(options: &PgConnectOptions) -> Result<(), StoreError> {
    match tried(options).await {
        Err(error) if answers(&error, &[STARTS]) => Ok(()),
        ended => ended.map_err(|error| unreached(options, error)),
    }
}

/// As [`reach`], for a gateway that serves: when the host starts it may be there before the database. Tries again for so long.
pub(super) async fn reach_within(
    options: &PgConnectOptions,
    time: Duration,
) -> Result<(), StoreError> {
    let mut left = time;
    while let Err(error) = tried(options).await {
        let comes = may_come(options, &error);
        let error = unreached(options, error);
        if !comes || left.is_zero() {
            return Err(error);
        }
        if left == time {
            let seconds = time.as_secs();
            tracing::warn!(%error, seconds, "the database is not there yet; it is tried again");
        }
        left = left.saturating_sub(PAUSE);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn tried(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let connection = connected(options).await?;
    let _gone = connection.close().await;
    Ok(())
}

async fn connected(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let connecting = Box::pin(PgConnection::connect_with(options));
    let Ok(connected) = tokio::time::timeout(PATIENCE, connecting).await else {
        let why = format!("no answer within {} s", PATIENCE.as_secs());
        return Err(io::Error::new(io::ErrorKind::TimedOut, why).into());
    };
    connected
}

/// Whether a server was asked and answers with one of these codes.
fn answers(error: &sqlx::Error, codes: &[&str]) -> bool {
    let refused = error.as_database_error();
    let code = refused.and_then(|error| error.code());
    code.is_some_and(|code| codes.contains(&&*code))
}

/// Whether it is the failure of a server that does not listen yet, starts, or has no connection left.
fn may_come(options: &PgConnectOptions, error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => true,
            // Who listens makes the socket.
            io::ErrorKind::NotFound => options.get_socket().is_some(),
            _ => false,
        },
        error => answers(error, &[STARTS, FULL]),
    }
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
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

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

    /// Answers whoever connects with these errors, one after the other.
    async fn refuse(listener: TcpListener, codes: [&'static str; 3]) {
        for code in codes {
            let (mut caller, _) = listener.accept().await.unwrap();
            assert!(caller.read(&mut [0; 1_024]).await.unwrap() > 0);
            let fields = format!("SFATAL\0VFATAL\0C{code}\0Mrefused\0\0");
            let length = u32::try_from(fields.len() + 4).unwrap();
            caller.write_u8(b'E').await.unwrap();
            caller.write_u32(length).await.unwrap();
            caller.write_all(fields.as_bytes()).await.unwrap();
        }
    }

    async fn refusing() -> (TcpListener, PgConnectOptions) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("postgres://tandem@{address}/county?sslmode=disable");
        (listener, url.parse().unwrap())
    }

    #[tokio::test]
    async fn a_server_that_starts_or_is_full_is_tried_again_and_any_other_refusal_ends_it() {
        let (listener, options) = refusing().await;
        let told = tokio::spawn(refuse(listener, [STARTS, FULL, "3D000"]));
        let reached = reach_within(&options, Duration::from_secs(60)).await;
        let StoreError::Unreached { error, .. } = reached.unwrap_err() else {
            panic!("it was not reached");
        };
        assert!(answers(&error, &["3D000"]), "{error}");
        told.await.unwrap();
    }

    #[tokio::test]
    async fn where_nobody_listens_is_told_once_the_time_is_over() {
        let (listener, options) = refusing().await;
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = connected(&options).await.unwrap_err();
        assert!(may_come(&options, &error), "{error}");
        let error = reach_within(&options, Duration::ZERO).await.unwrap_err();
        let told = error.to_string();
        let begins = format!("cannot reach the database at {address}: ");
        assert!(told.starts_with(&begins), "{told}");
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
