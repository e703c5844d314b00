//! A throwaway cluster of PostgreSQL: its own folder, its own socket, no network, gone with the process that started it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rand::RngExt as _;

/// Where Debian keeps the programs of each major version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The user `nobody` and its group of Debian: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;
/// The name of the one user of the cluster.
const USER: &str = "tandem";
/// Longest wait for a start.
const START: Duration = Duration::from_secs(60);
/// Time between two looks.
const STEP: Duration = Duration::from_millis(20);

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    server: Option<Server>,
    databases: AtomicU32,
}

#[derive(Debug)]
struct Server {
    process: Child,
    /// Dropped when nobody wants it any longer.
    _wanted: mpsc::Sender<()>,
}

impl Cluster {
    /// Makes a cluster and starts it. What is committed survives a kill of its processes, not a loss of power: the disk is not
    /// waited for unless `is_durable`.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start(is_durable: bool) -> Result<Self> {
        let programs = programs()?;
        let number: u64 = rand::rng().random();
        let folder = std::env::temp_dir().join(format!("tandem-postgres-{number:016x}"));
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        let mut cluster = Self {
            folder,
            programs,
            server: None,
            databases: AtomicU32::new(0),
        };
        if is_root() {
            chown(&cluster.folder, Some(NOBODY), Some(NOBODY))?;
        }
        cluster.initialise(is_durable)?;
        cluster.resume()?;
        Ok(cluster)
    }

    fn initialise(&self, is_durable: bool) -> Result<()> {
        let made = self
            .as_ordinary_user("initdb")
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8"])
            .args(["--locale=C.UTF-8", "--username", USER, "--pgdata"])
            .arg(self.data())
            .output()?;
        let said = String::from_utf8_lossy(&made.stderr);
        ensure!(made.status.success(), "initdb: {said}");
        let durable = if is_durable { "on" } else { "off" };
        let settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nfsync = {durable}\nmax_connections = 200\n",
            self.folder.display()
        );
        let file = self.data().join("postgresql.auto.conf");
        fs::write(&file, settings).with_context(|| file.display().to_string())
    }

    /// Starts the server again after [`Cluster::kill`].
    ///
    /// # Errors
    /// When it does not answer.
    pub fn resume(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            self.server = Some(self.spawn()?);
            let Some(ended) = self.wait(start)? else {
                return Ok(());
            };
            // While children of a killed server still hold its memory the next one does not start.
            ensure!(start.elapsed() < START, "{ended}");
            std::thread::sleep(STEP);
        }
    }

    /// A server that ends with this process. The kernel ends it with the thread that started it, so that one stays as long as
    /// the server is wanted.
    fn spawn(&self) -> Result<Server> {
        let log = fs::File::create(self.folder.join("log"))?;
        let mut command = self.as_ordinary_user("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let (told, child) = mpsc::channel();
        let (wanted, until) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            let _ = told.send(command.spawn());
            let _ = until.recv();
        });
        let process = child.recv()??;
        Ok(Server {
            process,
            _wanted: wanted,
        })
    }

    /// Waits until the server answers. What it said, when it ended instead.
    fn wait(&mut self, start: Instant) -> Result<Option<String>> {
        while !self.answers()? {
            if let Some(server) = &mut self.server
                && let Some(status) = server.process.try_wait()?
            {
                let log = fs::read_to_string(self.folder.join("log"))?;
                return Ok(Some(format!("postgres ended with {status}: {log}")));
            }
            ensure!(start.elapsed() < START, "postgres does not answer");
            std::thread::sleep(STEP);
        }
        Ok(None)
    }

    fn answers(&self) -> Result<bool> {
        let asked = Command::new(self.programs.join("pg_isready"))
            .arg("--quiet")
            .arg("--host")
            .arg(&self.folder)
            .status()?;
        Ok(asked.success())
    }

    /// Kills the server with all its connections, as a crash of its machine would.
    ///
    /// # Errors
    /// When it can't be killed.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut server) = self.server.take() else {
            return Ok(());
        };
        server.process.kill()?;
        server.process.wait()?;
        Ok(())
    }

    /// Cuts all connections of clients.
    ///
    /// # Errors
    /// When the server can't be asked.
    pub fn cut(&self) -> Result<()> {
        self.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )
    }

    /// Makes an empty database and tells its address.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn database(&self) -> Result<String> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("county_{number}");
        self.ask(&format!("CREATE DATABASE {name}"))?;
        Ok(self.address(&name))
    }

    fn address(&self, database: &str) -> String {
        let host = self.folder.display();
        format!("postgres:///{database}?host={host}&user={USER}")
    }

    /// Runs a statement as whoever runs the database.
    fn ask(&self, statement: &str) -> Result<()> {
        let asked = Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--username", USER, "--host"])
            .arg(&self.folder)
            .args(["--dbname", "postgres", "--command", statement])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()?;
        let said = String::from_utf8_lossy(&asked.stderr);
        ensure!(asked.status.success(), "psql: {said}");
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program of PostgreSQL that ends with the thread that starts it.
    fn as_ordinary_user(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if is_root() {
            let nobody = NOBODY.to_string();
            command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
        }
        command.arg(self.programs.join(program));
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The programs of the newest version that is installed.
fn programs() -> Result<PathBuf> {
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = fs::read_dir(DEBIAN).with_context(|| {
        format!("{DEBIAN}: PostgreSQL is not installed (Debian package postgresql)")
    })?;
    let newest = installed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|folder| Some((version(&folder)?, folder)))
        .max();
    let (_, folder) = newest.with_context(|| format!("{DEBIAN} holds no version"))?;
    Ok(folder.join("bin"))
}

/// Whether this process runs as root, by the owner of its entry among the processes.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
