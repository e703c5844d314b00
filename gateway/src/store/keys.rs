//! Keys that stand in data folders and not in the store: whoever opens the store must hold those with which it was
//! written.

use jiff::Timestamp;

use super::sql::{Row, query, query_scalar};
use super::tx::{micros, timestamp};
use super::{Store, StoreError, Tx};
use crate::seal::{SealError, Sealer, Spot, key_of};

/// The step of the schema from which on a store knows its root keys by number.
pub(super) const ROOT_KEYS: i64 = 20_261_130_000_010;
/// Sealed with each root key by whoever was the first to seal with it.
const SIGN: &[u8] = b"tandem";
/// The file of the root keys, as it is called in what people are told.
const ROOT: &str = "root.key";
/// By this the store knows the secret of look-ups.
const LOOK_UP: &str = "look-up";

/// What the store knows of a root key.
#[derive(Debug, Clone)]
pub struct RootKeyRow {
    /// Its number.
    pub number: u32,
    /// When it was made, if that is known.
    pub made_at: Option<Timestamp>,
    /// Since when it seals or sealed; absent of the first.
    pub seals_since: Option<Timestamp>,
    /// When it was retired.
    pub retired_at: Option<Timestamp>,
    /// How many values it still seals, as far as that was counted.
    pub rows_left: Option<i64>,
    sign: Vec<u8>,
}

/// Where the sign of a key is sealed.
fn sign_of(number: &[u8]) -> Spot<'_> {
    Spot {
        table: "root_key",
        column: "sign",
        row: number,
    }
}

fn opens(sealer: &Sealer, spot: Spot<'_>, sign: &[u8]) -> Result<(), StoreError> {
    match sealer.open(spot.table, spot.column, spot.row, sign) {
        Ok(opened) if opened == SIGN => Ok(()),
        Err(error @ SealError::NoKey { .. }) => Err(error.into()),
        _ => Err(StoreError::OtherKey(ROOT)),
    }
}

impl Store {
    /// Checks that the root keys are those of the store, and lets the one seal that seals in it; a store that is new
    /// takes the newest.
    pub(super) async fn check_root(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let known = tx.check_keys(&self.sealer, true).await?;
        let number = known.unwrap_or_else(|| self.sealer.sealing());
        let look_up = self.sealer.mac("key_check", LOOK_UP)?;
        tx.key_check(LOOK_UP, &look_up).await?;
        if tx.root_keys().await?.is_empty() {
            tx.add_root_key(number, None).await?;
        }
        tx.commit().await?;
        Ok(self.sealer.seal_with(number)?)
    }

    /// Whether the keys of the sealer are those with which the store was written. Nothing is written.
    ///
    /// # Errors
    /// When one of them is not there or is another, or the store can't be read.
    pub async fn has_its_keys(&self) -> Result<(), StoreError> {
        let mut tx = self.snapshot().await?;
        tx.check_keys(&self.sealer, true).await?;
        Ok(())
    }

    /// Follows what was done to the keys beside this gateway: it reads the key file again, and seals with the key that
    /// seals by now.
    ///
    /// # Errors
    /// When the store fails, or the file can't be read or lacks a key.
    pub async fn follow_keys(&self) -> Result<(), StoreError> {
        self.sealer.reread()?;
        let known = self
            .snapshot()
            .await?
            .check_keys(&self.sealer, true)
            .await?;
        if let Some(number) = known {
            self.sealer.seal_with(number)?;
        }
        self.tell_keys().await
    }
}

impl Tx {
    /// Checks the keys with which the store was written, and gives the one that seals in it; none in a store that is
    /// new.
    ///
    /// # Errors
    /// When the store fails, a key is not there or is another.
    pub(super) async fn check_keys(
        &mut self,
        sealer: &Sealer,
        knows_numbers: bool,
    ) -> Result<Option<u32>, StoreError> {
        let mut sealing = None;
        if knows_numbers {
            for row in self.root_keys().await? {
                if row.retired_at.is_none() {
                    let number = row.number.to_be_bytes();
                    opens(sealer, sign_of(&number), &row.sign)?;
                    sealing = Some(row.number);
                }
            }
        }
        // Before keys had numbers the sign of the only one stood beside those of the audit.
        if sealing.is_none()
            && let Some(sign) = self.known_key("root").await?
        {
            let spot = Spot {
                table: "key_check",
                column: "value",
                row: b"root",
            };
            opens(sealer, spot, &sign)?;
            sealing = key_of(&sign);
        }
        let look_up = self.known_key(LOOK_UP).await?;
        let own = sealer.mac("key_check", LOOK_UP)?;
        if look_up.is_some_and(|known| known != own) {
            return Err(StoreError::OtherKey(ROOT));
        }
        Ok(sealing)
    }

    /// What the store knows of its root keys, by number. The last that is not retired seals.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn root_keys(&mut self) -> Result<Vec<RootKeyRow>, StoreError> {
        let rows = query(
            "SELECT number, made_at, seals_since, retired_at, rows_left, sign FROM root_key \
             WHERE jurisdiction = $1 ORDER BY number",
        )
        .bind(self.jurisdiction())
        .fetch_all(&mut self.inner)
        .await?;
        let row = |row: &Row| {
            let at = |column| {
                let at: Option<i64> = row.get(column);
                at.map(timestamp).transpose()
            };
            let number: i64 = row.get("number");
            Ok(RootKeyRow {
                number: u32::try_from(number)
                    .map_err(|_| StoreError::Shape { kind: "root key" })?,
                made_at: at("made_at")?,
                seals_since: at("seals_since")?,
                retired_at: at("retired_at")?,
                rows_left: row.get("rows_left"),
                sign: row.get("sign"),
            })
        };
        rows.iter().map(row).collect()
    }

    /// Lets the store know a root key: it seals from then on.
    pub(super) async fn add_root_key(
        &mut self,
        number: u32,
        seals_since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let sign = self
            .sealer
            .sign(number, sign_of(&number.to_be_bytes()), SIGN)?;
        let made_at = self.sealer.keys().get(&number).copied().flatten();
        query(
            "INSERT INTO root_key (jurisdiction, number, made_at, seals_since, sign) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(self.jurisdiction())
        .bind(number)
        .bind(made_at.map(micros))
        .bind(seals_since.map(micros))
        .bind(sign)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Notes that a root key is retired.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn retire_root_key(
        &mut self,
        number: u32,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        query("UPDATE root_key SET retired_at = $3 WHERE jurisdiction = $1 AND number = $2")
            .bind(self.jurisdiction())
            .bind(number)
            .bind(micros(at))
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// What the store knows of a key; a store that knows nothing takes what it is told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key_check(&mut self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        query(
            "INSERT INTO key_check (jurisdiction, name, value) VALUES ($1, $2, $3) \
             ON CONFLICT (jurisdiction, name) DO NOTHING",
        )
        .bind(self.jurisdiction())
        .bind(name)
        .bind(value)
        .execute(&mut self.inner)
        .await?;
        let known = self.known_key(name).await?;
        Ok(known.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// What the store knows of a key, if anything.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn known_key(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(
            query_scalar("SELECT value FROM key_check WHERE jurisdiction = $1 AND name = $2")
                .bind(self.jurisdiction())
                .bind(name)
                .fetch_optional(&mut self.inner)
                .await?,
        )
    }
}
