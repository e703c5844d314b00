//! The `tandem` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

// Reading and matching make and drop millions of short texts.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // Fails only when a provider is installed already, and then there is one.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    tandem::cli::run()
}
