//! How long a destination asks to be left alone.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::Timestamp;

/// Longest wait that a destination may ask for: one that names a later time is asked again after this.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3), at most [`LONGEST_WAIT`]. What is neither says nothing.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_seconds = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let wait = if is_seconds {
        // More digits than a number has are a long time.
        text.parse().map_or(LONGEST_WAIT, Duration::from_secs)
    } else {
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Duration::try_from(at.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<Duration> {
        let now = "2026-11-30T10:00:00Z".parse().unwrap();
        let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
        retry_after(&headers, now)
    }

    #[test]
    fn it_is_a_number_of_seconds_or_a_date_and_never_longer_than_a_day() {
        assert_eq!(told("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            told("Mon, 30 Nov 2026 10:05:00 GMT"),
            Some(Duration::from_secs(300))
        );
        assert_eq!(told("Mon, 30 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        for long in [
            "90000",
            "10000000000",
            "18446744073709551616",
            "Tue, 30 Nov 2027 10:00:00 GMT",
        ] {
            assert_eq!(told(long), Some(LONGEST_WAIT), "{long}");
        }
        for unclear in ["", "-5", "1.5", "soon", "2026-11-30"] {
            assert_eq!(told(unclear), None, "{unclear}");
        }
    }
}
