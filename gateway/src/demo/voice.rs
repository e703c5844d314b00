//! How the story is told on the terminal.

use std::path::Path;

use super::world::World;

/// The title page.
pub(super) fn opening(title: &str) {
    println!();
    println!("  Tandem: {title}");
    println!("  Every person in this story is invented.");
    println!();
}

/// A step begins.
pub(super) fn step(number: usize, title: &str) {
    println!("  {number}. {title}");
}

/// Something happens.
pub(super) fn tell(text: &str) {
    println!("     {text}");
}

/// Something was checked and is true.
pub(super) fn seen(text: &str) {
    println!("     + {text}");
}

/// A step did not come true.
pub(super) fn failed(number: usize, error: &anyhow::Error) {
    println!("     ! step {number} did not come true: {error:#}");
}

/// The end.
pub(super) fn closing(done: usize, of: usize) {
    println!();
    println!("  {done}/{of}");
}

/// What to try while the gateway keeps running.
pub(super) fn what_next(world: &World, folder: &Path) {
    let url = world.office.url();
    println!();
    println!("  The gateway is still running at {url}. Try:");
    println!("     {url}/public/measures                the public page, masked");
    println!("     {url}/openapi.json                   the API");
    println!(
        "     tokens, folders and configuration:   {}",
        folder.display()
    );
    println!(
        "     TANDEM_URL={url} tandem lanes --token-file {}/operator.token",
        folder.display()
    );
    println!(
        "     TANDEM_URL={url} tandem links list --token-file {}/steward.token",
        folder.display()
    );
    println!(
        "     TANDEM_URL={url} tandem decisions --token-file {}/privacy.token",
        folder.display()
    );
    println!("  Ctrl-C ends it.");
}
