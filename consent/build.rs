//! Lists the rule files, so that the binary carries the default bundle and the demo county's layer.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let mut code = String::new();
    list("REGIMES", &root.join("regimes"), &mut code)?;
    list(
        "DEMO_COUNTY",
        &root.join("../config/overrides/demo-county"),
        &mut code,
    )?;
    fs::write(Path::new(&variable("OUT_DIR")?).join("embedded.rs"), code)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}

fn list(name: &str, folder: &Path, code: &mut String) -> io::Result<()> {
    let mut files = Vec::new();
    walk(folder, &mut files)?;
    files.sort();
    let _ = writeln!(code, "pub(super) const {name}: &[(&str, &str)] = &[");
    for file in files {
        let relative = file.strip_prefix(folder).map_err(io::Error::other)?;
        let _ = writeln!(code, "({relative:?}, include_str!({file:?})),");
    }
    code.push_str("];\n");
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}
