//! Numbers with which the gateway would start and then do something else than anybody wants: take nothing, give a message up
//! before it was tried, show what is to be masked.

use super::Config;

/// What is out of its range, each with its key, its value and what was expected.
pub(super) fn problems(config: &Config) -> Vec<String> {
    let positive = [
        ("limits.body_bytes", config.limits.body_bytes == 0),
        ("delivery.attempts", config.delivery.attempts == 0),
        ("masking.threshold", config.masking.threshold == 0),
    ];
    let wrong = positive.into_iter().filter(|(_, is_zero)| *is_zero);
    let mut problems: Vec<String> = wrong
        .map(|(key, _)| format!("{key}: 0, expected at least 1"))
        .collect();
    let percent = config.refresh.most_withdrawn_percent;
    if percent > 100 {
        problems.push(format!(
            "refresh.most_withdrawn_percent: {percent}, expected 0 to 100"
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::super::example::GATEWAY_TOML;
    use super::*;

    fn told(from: &str, to: &str) -> String {
        assert!(GATEWAY_TOML.contains(from), "{from}");
        let config: Config = toml::from_str(&GATEWAY_TOML.replacen(from, to, 1)).unwrap();
        problems(&config).join("\n")
    }

    #[test]
    fn a_number_that_stops_the_gateway_from_doing_its_work_is_named_with_what_was_expected() {
        for (from, to, said) in [
            (
                "body_bytes = 67108864",
                "body_bytes = 0",
                "limits.body_bytes: 0, expected at least 1",
            ),
            (
                "\nattempts = 80",
                "\nattempts = 0",
                "delivery.attempts: 0, expected at least 1",
            ),
            (
                "threshold = 11",
                "threshold = 0",
                "masking.threshold: 0, expected at least 1",
            ),
            (
                "most_withdrawn_percent = 20",
                "most_withdrawn_percent = 101",
                "refresh.most_withdrawn_percent: 101, expected 0 to 100",
            ),
        ] {
            assert_eq!(told(from, to), said);
        }
        for (from, to) in [
            ("body_bytes = 67108864", "body_bytes = 1"),
            ("\nattempts = 80", "\nattempts = 1"),
            ("threshold = 11", "threshold = 1"),
            (
                "most_withdrawn_percent = 20",
                "most_withdrawn_percent = 100",
            ),
            ("most_withdrawn_percent = 20", "most_withdrawn_percent = 0"),
        ] {
            assert_eq!(told(from, to), "", "{to}");
        }
    }
}
