//! Spectra of a signal and the lines in them.
//!
//! Cold threads. A spectrum is Welch's: Hann windows, half overlapping, mean removed.

use std::f64::consts::TAU;

/// A one-sided amplitude density.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Hz between two bins.
    pub bin_hz: f64,
    /// Power density a bin, unit squared a Hz.
    pub power: Vec<f64>,
    /// Equivalent noise bandwidth of the window, Hz.
    pub bandwidth_hz: f64,
}

/// A line in a spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Frequency, Hz.
    pub hz: f64,
    /// Amplitude of the sinusoid, in the signal's unit.
    pub amplitude: f64,
    /// Power over that of the noise around it.
    pub over_noise: f64,
}

/// Longest window, samples.
const MOST_WINDOW: usize = 16_384;
/// Bins on each side from which the noise around a bin is taken.
const AROUND: usize = 48;

/// The spectrum of `signal`, or `None` when it has fewer than 64 samples.
#[must_use]
pub fn spectrum(signal: &[f64], sample_hz: f64) -> Option<Spectrum> {
    if signal.len() < 64 {
        return None;
    }
    let whole = 1 << signal.len().ilog2();
    let n = if signal.len() >= 2 * MOST_WINDOW {
        MOST_WINDOW
    } else {
        (whole / 2).clamp(64, MOST_WINDOW)
    };
    let mean = signal.iter().sum::<f64>() / signal.len() as f64;
    let window: Vec<f64> = (0..n).map(|i| 0.5 - 0.5 * (TAU * i as f64 / n as f64).cos()).collect();
    let (sum, squares) = (window.iter().sum::<f64>(), window.iter().map(|w| w * w).sum::<f64>());
    let mut power = vec![0.0; n / 2];
    let mut segments = 0;
    for segment in signal.windows(n).step_by(n / 2) {
        let mut points: Vec<(f64, f64)> = segment
            .iter()
            .zip(&window)
            .map(|(s, w)| ((s - mean) * w, 0.0))
            .collect();
        transform(&mut points);
        for (power, (re, im)) in power.iter_mut().zip(&points) {
            *power += 2.0 * (re * re + im * im) / (sample_hz * squares);
        }
        segments += 1;
    }
    for power in &mut power {
        *power /= f64::from(segments);
    }
    let bin_hz = sample_hz / n as f64;
    Some(Spectrum {
        bin_hz,
        power,
        bandwidth_hz: sample_hz * squares / (sum * sum),
    })
}

/// Radix-2 Fourier transform in place; the length is a power of two.
fn transform(points: &mut [(f64, f64)]) {
    let n = points.len();
    assert!(n.is_power_of_two(), "windows are powers of two");
    let shift = usize::BITS - n.ilog2();
    for i in 0..n {
        let j = i.reverse_bits() >> shift;
        if i < j {
            points.swap(i, j);
        }
    }
    let mut half = 1;
    while half < n {
        let turns: Vec<(f64, f64)> = (0..half)
            .map(|k| (-TAU * k as f64 / (2 * half) as f64).sin_cos())
            .collect();
        for block in points.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((a, b), (sin, cos)) in low.iter_mut().zip(high).zip(&turns) {
                let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                *b = (a.0 - turned.0, a.1 - turned.1);
                *a = (a.0 + turned.0, a.1 + turned.1);
            }
        }
        half *= 2;
    }
}

impl Spectrum {
    /// Power of the noise around a bin: the median of its neighbours.
    #[must_use]
    pub fn noise_around(&self, bin: usize) -> f64 {
        let range = bin.saturating_sub(AROUND)..(bin + AROUND + 1).min(self.power.len());
        let mut near = self.power[range].to_vec();
        let middle = near.len() / 2;
        *near.select_nth_unstable_by(middle, f64::total_cmp).1
    }

    /// Lines that stand `factor` times over the noise around them, above `from_hz`, strongest over noise first.
    #[must_use]
    pub fn lines(&self, from_hz: f64, factor: f64) -> Vec<Line> {
        let mut lines = Vec::new();
        for bin in 2..self.power.len().saturating_sub(2) {
            let p = &self.power[bin - 1..=bin + 1];
            let peak = p[1] > p[0] && p[1] >= p[2] && bin as f64 * self.bin_hz >= from_hz;
            if !peak {
                continue;
            }
            let noise = self.noise_around(bin);
            if p[1] > factor * noise {
                // the peak of a parabola through the logarithms of three bins
                let (a, b, c) = (p[0].max(1e-300).ln(), p[1].ln(), p[2].max(1e-300).ln());
                let offset = 0.5 * (a - c) / (a - 2.0 * b + c);
                let in_line: f64 = self.power[bin - 2..=bin + 2].iter().sum::<f64>() * self.bin_hz;
                lines.push(Line {
                    hz: (bin as f64 + offset) * self.bin_hz,
                    amplitude: (2.0 * in_line).sqrt(),
                    over_noise: p[1] / noise,
                });
            }
        }
        lines.sort_by(|a, b| b.over_noise.total_cmp(&a.over_noise));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sinusoid_is_found_with_its_frequency_and_amplitude() {
        let mut random = super::super::synthetic::Random::new(5);
        let signal: Vec<f64> = (0..60_000)
            .map(|i| 3.0 * (TAU * 52.13 * f64::from(i) / 4_800.0).sin() + random.normal() + 700.0)
            .collect();
        let spectrum = spectrum(&signal, 4_800.0).unwrap();
        let lines = spectrum.lines(2.0, 15.0);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            (lines[0].hz - 52.13).abs() < 0.03 && (lines[0].amplitude - 3.0).abs() < 0.1,
            "{lines:?}"
        );
    }

    #[test]
    fn white_noise_has_its_power_and_no_line() {
        let mut random = super::super::synthetic::Random::new(6);
        let signal: Vec<f64> = (0..60_000).map(|_| 2.0 * random.normal()).collect();
        let spectrum = spectrum(&signal, 1_000.0).unwrap();
        let total = spectrum.power.iter().sum::<f64>() * spectrum.bin_hz;
        assert!((total - 4.0).abs() < 0.2, "{total}");
        assert!(spectrum.lines(2.0, 15.0).is_empty());
    }
}
