//! Dividing an amount so that no cent is lost.

/// Divides `total` in proportion to `weights` by largest remainder; of equal remainders the earlier wins. The parts add up
/// to `total`, and none is larger than its weight when `total` is at most the sum of the weights. Without any weight
/// the first gets all.
pub fn allocate(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return weights.iter().enumerate().map(|(at, _)| if at == 0 { total } else { 0 }).collect();
    }
    let exact = |weight: &i64| i128::from(total) * i128::from(*weight);
    let mut parts: Vec<i64> = weights
        .iter()
        .map(|weight| i64::try_from(exact(weight) / sum).expect("a part is not larger than the total"))
        .collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|at| std::cmp::Reverse(exact(&weights[*at]) % sum));
    let missing = total - parts.iter().sum::<i64>();
    for at in by_remainder.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[at] += 1;
    }
    parts
}
