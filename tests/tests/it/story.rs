//! The acceptance story, played as `tandem demo` plays it, and its counterpart without consent.

use tandem::demo::{Options, run};

fn provider() {
    // Somebody else in the process may have installed it already.
    let _already = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_familys_journey_comes_true_in_what_the_systems_received() {
    provider();
    assert!(Box::pin(run(Options::default())).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_consent_no_system_learns_that_the_family_exists_elsewhere() {
    provider();
    let options = Options {
        without_consent: true,
        ..Options::default()
    };
    assert!(Box::pin(run(options)).await.unwrap());
}
