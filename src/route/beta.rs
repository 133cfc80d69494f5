//! The beta distribution: what is believed of a chance after so many successes and misses.
//! Knows nothing of what succeeds. The continued fraction is that of DLMF 8.17.22, <https://dlmf.nist.gov/8.17>.

/// Steps of the continued fraction; it has converged long before for all that a history holds.
const FRACTION_STEPS_MAX: u32 = 300;
/// Halvings of the interval in which a quantile lies: better than a millionth.
const HALVINGS: u32 = 24;
/// What the fraction is close enough by, and what stands for nothing in it.
const CLOSE: f64 = 1e-10;
const TINY: f64 = 1e-300;

/// A belief about a chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Beta {
    a: f64,
    b: f64,
}

impl Beta {
    /// That after so many successes and misses, where nothing was believed before: each chance was as likely.
    pub fn after(successes: f64, misses: f64) -> Self {
        Self { a: 1.0 + successes.max(0.0), b: 1.0 + misses.max(0.0) }
    }

    /// The mean.
    pub fn mean(self) -> f64 {
        self.a / (self.a + self.b)
    }

    /// The chance that is lower than the true one with probability `1 - share`.
    pub fn quantile(self, share: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if self.below(middle) < share {
                low = middle;
            } else {
                high = middle;
            }
        }
        f64::midpoint(low, high)
    }

    /// The probability that the chance is below `x`, which lies within 0 and 1.
    fn below(self, x: f64) -> f64 {
        let Self { a, b } = self;
        if x <= 0.0 || x >= 1.0 {
            return x.clamp(0.0, 1.0);
        }
        let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
        // The fraction converges fast on this side of the mean only.
        if x < (a + 1.0) / (a + b + 2.0) {
            front * fraction(a, b, x) / a
        } else {
            1.0 - front * fraction(b, a, 1.0 - x) / b
        }
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..=FRACTION_STEPS_MAX {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut factor = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            factor = c * d;
            result *= factor;
        }
        if (factor - 1.0).abs() < CLOSE {
            break;
        }
    }
    result
}

/// The logarithm of the gamma function of a positive number: Stirling's series (DLMF 5.11.1) above 8, the recurrence below.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 8.0 {
        product *= x;
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - f64::ln(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(successes: f64, misses: f64, share: f64, wanted: f64) {
        let found = Beta::after(successes, misses).quantile(share);
        assert!((found - wanted).abs() < 1e-5, "{successes} {misses} {share}: {found}, not {wanted}");
    }

    #[test]
    fn quantiles_are_those_that_can_be_worked_out() {
        // Nothing known: the chance is uniform.
        check(0.0, 0.0, 0.2, 0.2);
        // Only successes: the quantile is share^(1/(n+1)); only misses: 1 - (1-share)^(1/(n+1)).
        check(8.0, 0.0, 0.2, 0.2_f64.powf(1.0 / 9.0));
        check(0.0, 8.0, 0.2, 1.0 - 0.8_f64.powf(1.0 / 9.0));
        check(999.0, 0.0, 0.5, 0.5_f64.powf(1.0 / 1000.0));
        // One of each: x^2 (3 - 2x), which is a half at a half.
        check(1.0, 1.0, 0.5, 0.5);
        check(1.0, 1.0, 0.352, 0.4);
        check(50_000.0, 50_000.0, 0.5, 0.5);
        // With parts of a step, as ages make them: the distribution is its own mirror image.
        let (low, high) = (Beta::after(2.5, 7.25).quantile(0.1), Beta::after(7.25, 2.5).quantile(0.9));
        assert!((low + high - 1.0).abs() < 1e-5, "{low} {high}");
    }

    #[test]
    fn gamma_is_the_factorial() {
        for (x, wanted) in [(1.0, 1.0_f64), (2.0, 1.0), (5.0, 24.0), (11.0, 3_628_800.0)] {
            assert!((ln_gamma(x) - wanted.ln()).abs() < 1e-9, "{x}");
        }
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-9);
    }
}
