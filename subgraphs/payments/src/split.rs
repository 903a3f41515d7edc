//! Parts of a whole: whole minor units that add up.

/// Splits `whole` by `weights`, the largest remainders first; the parts add up to it, and none exceeds its weight as long
/// as the whole does not exceed their sum.
pub fn split(whole: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(whole) * i128::from(weight);
    let mut parts: Vec<i64> =
        weights.iter().map(|weight| i64::try_from(exact(*weight) / sum).unwrap_or(i64::MAX)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(exact(weights[*index]) % sum));
    let missing = whole - parts.iter().sum::<i64>();
    for index in order.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[index] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn the_parts_add_up_and_stay_within_their_weights() {
        assert_eq!(split(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(split(7, &[10, 0, 5]), [5, 0, 2]);
        assert_eq!(split(15, &[10, 0, 5]), [10, 0, 5]);
        assert_eq!(split(5, &[0, 0]), [0, 0]);
        assert_eq!(split(i64::MAX, &[i64::MAX, i64::MAX]).iter().sum::<i64>(), i64::MAX);
    }
}
