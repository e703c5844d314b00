//! The certificates that the configuration names: whether they can be read, and the days that are left.

use jiff::Timestamp;

use super::examination::{Examination, Finding};
use crate::config::Config;
use crate::transport::certificate;

/// So many days before the end somebody should look.
const SOON: i64 = 30;

/// Looks at each file of certificates.
pub(super) fn examine(examination: &mut Examination, config: &Config, now: Timestamp) {
    let mut is_any = false;
    for (used, name, path) in certificate::files(config) {
        is_any = true;
        let check = format!("certificate/{}/{name}", used.code());
        let place = path.display();
        examination.add(match certificate::ends(path) {
            Ok(ends) => left(check, &place.to_string(), ends, now),
            Err(error) => {
                let found = format!("{place}: {error}");
                let help = "put a PEM file there, readable by the gateway's user";
                Finding::failed(check, found, "certificates in PEM form", help)
            }
        });
    }
    if !is_any {
        let why = "the configuration names none: the gateway speaks plain HTTP and trusts the public authorities";
        examination.add(Finding::not_applicable("certificate", why));
    }
}

/// What the end of a certificate means now.
pub(super) fn left(check: String, what: &str, ends: Timestamp, now: Timestamp) -> Finding {
    let days = ends.duration_since(now).as_hours().div_euclid(24);
    let expected = format!("more than {SOON} days left");
    if ends <= now {
        let found = format!("{what} ended at {ends}");
        let help = "put a new one in its place; the gateway reads its own at `tandem reload`, or at a start";
        Finding::failed(check, found, expected, help)
    } else if days <= SOON {
        let found = format!("{what} ends in {days} days, at {ends}");
        Finding::warning(check, found, expected, "ask for a new one now")
    } else {
        Finding::ok(check, format!("{what} has {days} days left"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_certificate_warns_for_a_month_and_then_fails() {
        let now: Timestamp = "2026-02-02T09:00:00Z".parse().unwrap();
        let told = |hours: i64| {
            let ends = now + SignedDuration::from_hours(hours);
            let check = "certificate/served/gateway".to_owned();
            serde_json::to_value(left(check, "it", ends, now)).unwrap()
        };
        let standing = |hours| told(hours)["standing"].clone();
        assert!(
            told(-24)["help"]
                .as_str()
                .unwrap()
                .contains("tandem reload")
        );
        assert_eq!(standing(24 * 40), "ok");
        assert_eq!(standing(24 * 30), "warning");
        assert_eq!(standing(1), "warning");
        assert_eq!(standing(0), "failed");
        assert_eq!(standing(-24), "failed");
    }
}
