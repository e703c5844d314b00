//! Backups: one file, whatever the engine of the store. It is a store of SQLite of its own, with the schema that the
//! copied one had, what the jurisdiction has in each table, still sealed, and a manifest that says what must stand in
//! it.
//!
//! A backup is one snapshot. It is written under another name, summed, synced, and then gets its own.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tandem_audit::Tree;
use tandem_mappings::model::id::Jurisdiction;

use super::copying::{CopyError, Sums, Watch, copy_all};
use super::engine::Engine;
use super::schema::{Applied, applied, newest, steps_of};
use super::sql::{query, query_scalar};
use super::tables::{Table, tables_of};
use super::{Store, StoreError, Tx};
use crate::seal::Sealer;

/// The form of backups that this program writes and reads.
const FORM: u32 = 1;
/// Beginning of the name that a backup has until it is whole.
pub(super) const UNFINISHED: &str = ".tandem-unfinished-";
/// Leaf hashes that are read at a time.
const PAGE: i64 = 10_000;

/// What stands in a backup.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the file.
    pub form: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// Whose rows they are.
    pub jurisdiction: Jurisdiction,
    /// The last step of the schema of the store.
    pub schema: i64,
    /// When the snapshot was taken: what was committed until then is in it.
    pub taken_at: Timestamp,
    /// What stands in each table.
    pub tables: Sums,
    /// The head of the audit log; absent when its leaves are none, which `tandem audit verify` tells more of.
    pub audit: Option<AuditHead>,
    /// The files without which the backup is of no use. They are not in it.
    pub keys: Vec<String>,
}

/// The head of an audit log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditHead {
    /// Leaves.
    pub size: u64,
    /// The root over them, in hexadecimal digits.
    pub root: String,
}

/// A backup, to be read.
#[derive(Debug)]
pub struct Backup {
    /// What it says of itself.
    pub manifest: Manifest,
    pub(super) file: PathBuf,
    pub(super) steps: Applied,
    pub(super) store: Store,
}

/// A table of a backup that is not what the manifest says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Damage {
    /// Which, or `audit head`.
    pub table: String,
    /// What is wrong.
    pub problem: String,
}

impl Store {
    /// Writes a backup of the store, while gateways write into it. Whoever names the time reads it as the beginning.
    ///
    /// # Errors
    /// When a file of that name is there, it can't be written, or the store can't be read.
    pub async fn back_up(
        &self,
        file: &Path,
        taken_at: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Manifest, CopyError> {
        if file.exists() {
            return Err(CopyError::Exists(file.to_owned()));
        }
        let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        let unfinished = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder)
            .map_err(CopyError::file(file))?;
        let target = Self {
            engine: Engine::sqlite_in_making(unfinished.path()).await?,
            ..self.clone()
        };
        let written = self.write_into(&target, taken_at, watch).await;
        target.close().await;
        let manifest = written?;
        let synced = unfinished.as_file().sync_all();
        synced.map_err(CopyError::file(file))?;
        unfinished.persist_noclobber(file).map_err(|error| {
            if error.error.kind() == std::io::ErrorKind::AlreadyExists {
                CopyError::Exists(file.to_owned())
            } else {
                CopyError::file(file)(error.error)
            }
        })?;
        let folder = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        folder.map_err(CopyError::file(file))?;
        Ok(manifest)
    }

    async fn write_into(
        &self,
        target: &Self,
        taken_at: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Manifest, CopyError> {
        let mut from = self.engine.snapshot().await?;
        let steps = applied(&mut from).await?;
        if let Engine::Sqlite { writer, .. } = &target.engine {
            let steps = steps_of(&steps.keys().copied().collect());
            writer.take(&steps).await.map_err(StoreError::from)?;
        }
        let tables = tables_of(&steps).await?;
        let mut to = target.begin().await?;
        let jurisdiction = to.jurisdiction();
        let sums = copy_all(&tables, &mut from, &mut to.inner, &jurisdiction, watch).await?;
        let manifest = Manifest {
            form: FORM,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            jurisdiction: to.sealer.jurisdiction().clone(),
            schema: steps.last_key_value().map_or(0, |(version, _)| *version),
            taken_at,
            tables: sums,
            audit: audit_head(&mut to).await,
            keys: ["root.key", "audit.key", "audit-witness.key"]
                .map(str::to_owned)
                .to_vec(),
        };
        let text =
            serde_json::to_string(&manifest).map_err(|_| StoreError::Shape { kind: "manifest" })?;
        query("CREATE TABLE tandem_backup (manifest TEXT NOT NULL)")
            .execute(&mut to.inner)
            .await?;
        query("INSERT INTO tandem_backup (manifest) VALUES ($1)")
            .bind(text)
            .execute(&mut to.inner)
            .await?;
        to.commit().await?;
        Ok(manifest)
    }
}

/// The head of the log over all leaves.
pub(super) async fn audit_head(tx: &mut Tx) -> Option<AuditHead> {
    let mut tree = Tree::lean();
    loop {
        let from = i64::try_from(tree.size()).ok()?;
        let hashes = tx.leaf_hashes(from, PAGE).await.ok()?;
        if hashes.is_empty() {
            break;
        }
        tree.extend(hashes);
    }
    let size = tree.size();
    let root = hex::encode(tree.root(size)?);
    Some(AuditHead { size, root })
}

impl Backup {
    /// Opens a backup.
    ///
    /// # Errors
    /// When the file can't be read, is no backup, or is one that a newer program wrote.
    pub async fn open(file: &Path) -> Result<Self, CopyError> {
        let opened = std::fs::File::open(file);
        opened.map_err(CopyError::file(file))?;
        let none = |problem: String| CopyError::NoBackup {
            file: file.to_owned(),
            problem,
        };
        let no_file = |error: StoreError| none(format!("is no backup of Tandem: {error}"));
        let engine = Engine::sqlite_at_rest(file).await.map_err(no_file)?;
        let mut session = engine.snapshot().await.map_err(no_file)?;
        let text: String = query_scalar("SELECT manifest FROM tandem_backup")
            .fetch_one(&mut session)
            .await
            .map_err(|error| none(format!("holds no manifest of a backup: {error}")))?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| none(format!("its manifest is not of a known form: {error}")))?;
        if manifest.form != FORM {
            let form = manifest.form;
            return Err(none(format!(
                "its form is {form}, and this program reads form {FORM}"
            )));
        }
        let newer = StoreError::Newer {
            store: manifest.schema,
            program: newest(),
        };
        if manifest.schema > newest() {
            return Err(newer.into());
        }
        let steps = applied(&mut session)
            .await
            .map_err(|error| none(format!("its schema can't be read: {error}")))?;
        drop(session);
        let sealer = Sealer::of_nobody(manifest.jurisdiction.clone()).map_err(StoreError::from)?;
        Ok(Self {
            manifest,
            file: file.to_owned(),
            steps,
            store: Store::on(engine, sealer),
        })
    }

    /// The tables of its schema.
    pub(super) async fn tables(&self) -> Result<Vec<Table>, StoreError> {
        tables_of(&self.steps).await
    }

    /// Compares what stands in it with what its manifest says. No damage: it is whole.
    ///
    /// # Errors
    /// When the schema can't be made out.
    pub async fn verify(&self, watch: Watch<'_>) -> Result<Vec<Damage>, CopyError> {
        let mut damages = Vec::new();
        let mut tx = self.store.snapshot().await?;
        let jurisdiction = tx.jurisdiction();
        let tables = self.tables().await?;
        for table in &tables {
            let found = table.sum(&mut tx.inner, &jurisdiction).await;
            let expected = self.manifest.tables.get(&table.name);
            let problem = match (found, expected) {
                (Err(error), _) => error.to_string(),
                (Ok(_), None) => "the manifest does not name it".to_owned(),
                (Ok(found), Some(expected)) if found != *expected => format!(
                    "{} rows with hash {} were written, {} rows with hash {} are there",
                    expected.rows, expected.sha256, found.rows, found.sha256
                ),
                (Ok(found), Some(_)) => {
                    watch(&table.name, found.rows);
                    continue;
                }
            };
            damages.push(Damage {
                table: table.name.clone(),
                problem,
            });
        }
        let is_known = |name: &String| tables.iter().any(|table| table.name == *name);
        let unknown = self.manifest.tables.keys().filter(|name| !is_known(name));
        damages.extend(unknown.map(|name| Damage {
            table: name.clone(),
            problem: "the schema has no such table".to_owned(),
        }));
        if audit_head(&mut tx).await != self.manifest.audit {
            damages.push(Damage {
                table: "audit head".to_owned(),
                problem: "the leaves have another head than the manifest says".to_owned(),
            });
        }
        Ok(damages)
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
