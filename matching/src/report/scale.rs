//! From values to places on a drawing.

use super::markup::count;

/// A linear or a logarithmic scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    is_log: bool,
}

/// Ticks that a scale has at most.
const TICKS: f64 = 10.0;

impl Scale {
    /// Values from `low` to `high` on places from `from` to `to`.
    pub(super) fn linear((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self {
            low,
            high,
            from,
            to,
            is_log: false,
        }
    }

    /// The same by powers of ten; both values are above 0.
    pub(super) fn log((low, high): (f64, f64), places: (f64, f64)) -> Self {
        let scale = Self::linear((low.log10(), high.log10().ceil()), places);
        Self {
            is_log: true,
            ..scale
        }
    }

    /// The place of a value; values beyond the scale stand at its end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = if self.is_log {
            value.max(f64::MIN_POSITIVE).log10()
        } else {
            value
        };
        let share = (value - self.low) / (self.high - self.low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// A value as it stands beside the scale.
    pub(super) fn label(&self, value: f64) -> String {
        if self.is_log {
            count(value.round() as u64)
        } else {
            format!("{value}")
        }
    }

    /// The place half way.
    pub(super) fn middle(&self) -> f64 {
        f64::midpoint(self.from, self.to)
    }

    /// Round values along the scale.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let span = self.high - self.low;
        let raw = span / TICKS;
        let power = 10_f64.powf(raw.log10().floor());
        let nice = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let step = nice
            .into_iter()
            .find(|step| *step >= raw)
            .unwrap_or(10.0 * power);
        let step = if self.is_log {
            step.max(1.0).round()
        } else {
            step
        };
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let value = |number: i64| number as f64 * step;
        let values = (first..=last).map(value);
        values
            .map(|value| {
                if self.is_log {
                    10_f64.powf(value)
                } else {
                    value
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_scale() {
        let scale = Scale::linear((-13.0, 31.0), (0.0, 100.0));
        assert_eq!(scale.ticks().first(), Some(&-10.0));
        assert_eq!(scale.ticks().last(), Some(&30.0));
        let scale = Scale::log((1.0, 25_000.0), (0.0, 100.0));
        let shown: Vec<i64> = scale
            .ticks()
            .iter()
            .map(|tick| tick.round() as i64)
            .collect();
        assert_eq!(shown, [1, 10, 100, 1_000, 10_000, 100_000]);
    }

    #[test]
    fn a_scale_without_width_still_has_places() {
        let scale = Scale::linear((3.0, 3.0), (10.0, 20.0));
        assert!(scale.at(3.0).is_finite() && !scale.ticks().is_empty());
    }
}
