//! Shares and medians.

/// The median of numbers; the mean of the middle two when their count is even.
#[must_use]
pub fn median(mut numbers: Vec<i64>) -> Option<f64> {
    numbers.sort_unstable();
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)? as f64;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *numbers.get(middle.checked_sub(1)?)? as f64;
    Some(f64::midpoint(lower, upper))
}

/// A share; none of nothing.
pub(super) fn share(numerator: u64, denominator: u64) -> Option<f64> {
    (denominator > 0).then(|| numerator as f64 / denominator as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        assert_eq!(median(vec![9, 1, 4]), Some(4.0));
        assert_eq!(median(vec![9, 1, 4, 5]), Some(4.5));
        assert_eq!(median(vec![7]), Some(7.0));
        assert_eq!(median(vec![]), None);
        assert_eq!(share(1, 0), None);
    }
}
