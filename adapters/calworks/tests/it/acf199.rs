//! The federal files ACF-199.

use tandem_adapter_port::report::{Collected, Outcome, Report};
use tandem_calworks::read::acf199::{Acf199Reader, Expected};

use crate::support;

fn read(text: impl AsRef<[u8]>) -> (Report, Collected) {
    let reader = Acf199Reader::new(Expected::default()).unwrap();
    support::read(&reader, "ADS.E2J.FTP1.TS06", text.as_ref())
}

#[test]
fn probe() {
    for text in [
        include_str!("../../fixtures/federal/small_tanf_section1.txt"),
        include_str!("../../fixtures/federal/small_tanf_section2.txt"),
        include_str!("../../fixtures/federal/ADS.E2J.FTP3.TS06"),
        include_str!("../../fixtures/federal/ADS.E2J.FTP4.TS06"),
    ] {
        println!("{}", serde_json::to_string_pretty(&read(text).0).unwrap());
    }
}
