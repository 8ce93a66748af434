//! Numbers for people.

/// `1,234,567`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `812 B`, `4.2 MB`, `1.3 GB`; decimal units, as disks are sold and `pg_size_pretty` is not.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 1_000 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1_000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_size_takes_the_unit_that_keeps_it_short() {
        let sizes = [0, 999, 1_000, 999_949, 999_951, 4_200_000, 1_300_000_000];
        let shown = ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "4.2 MB", "1.3 GB"];
        assert_eq!(sizes.map(bytes), shown);
    }
}
