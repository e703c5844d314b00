//! Where traces are sent.

use serde::Deserialize;
use url::Url;

use super::store::is_here;

/// Where traces are sent; nowhere without an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Address of an OpenTelemetry collector that takes OTLP over HTTP; `/v1/traces` is added.
    pub otlp: Option<Url>,
    /// Whether a collector on another machine may be reached without TLS.
    pub allow_plain: bool,
}

impl TelemetryConfig {
    /// What is wrong with it.
    pub(super) fn problems(&self) -> Option<String> {
        let address = self.otlp.as_ref()?;
        let host = address.host_str().unwrap_or_default();
        match address.scheme() {
            _ if !address.username().is_empty() || address.password().is_some() => {
                Some("telemetry.otlp: expected an address without a user".to_owned())
            }
            "https" => None,
            "http" if self.allow_plain || is_here(host) => None,
            "http" => Some(
                "telemetry.otlp: a collector on another machine needs https, unless allow_plain is set"
                    .to_owned(),
            ),
            _ => Some("telemetry.otlp: expected http:// or https://".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_elsewhere_is_reached_over_tls() {
        let problem = |text: &str| {
            let config: TelemetryConfig = toml::from_str(text).unwrap();
            config.problems().unwrap_or_default()
        };
        for right in [
            "",
            "otlp = \"http://127.0.0.1:4318\"",
            "otlp = \"https://collector.county.example\"",
            "otlp = \"http://collector.county.example\"\nallow_plain = true",
        ] {
            assert_eq!(problem(right), "", "{right}");
        }
        for (wrong, said) in [
            ("otlp = \"http://collector.county.example\"", "needs https"),
            ("otlp = \"grpc://127.0.0.1\"", "expected http://"),
            ("otlp = \"https://a:b@c.example\"", "without a user"),
        ] {
            assert!(problem(wrong).contains(said), "{wrong}");
        }
    }
}
