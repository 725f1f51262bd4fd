//! Numbered channels: the line's other signals, digital and analogue, in and out.
//!
//! Any thread. A channel is a level, not an event: what counts is its present value, so a change that finds no room on
//! the link waits and is reported later with the value of then. Outputs are reported like inputs, so that the host sees
//! what the watchdog has switched off.

use wire::{Fault, FromBoard};

use crate::description::{Description, Wiring};
use crate::limits::MAX_CHANNELS;
use crate::outputs::Outputs;
use crate::settings::Settings;

/// All channels of a board.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    wiring: [Wiring; MAX_CHANNELS],
    values: [u16; MAX_CHANNELS],
    /// Value that the host knows.
    reported: [u16; MAX_CHANNELS],
    /// Channels whose value is known at all: outputs, and inputs once read; a bit each.
    known: u32,
    /// Channels to report, a bit each.
    changed: u32,
}

impl Channels {
    /// Channels on which nothing hangs yet: [`Self::start`] says what does.
    pub(crate) const fn blank() -> Self {
        Self {
            wiring: [Wiring::Unused; MAX_CHANNELS],
            values: [0; MAX_CHANNELS],
            reported: [0; MAX_CHANNELS],
            known: 0,
            changed: 0,
        }
    }

    /// Takes the wiring.
    pub(crate) fn start(&mut self, description: &Description) {
        self.wiring = description.wiring;
        for (channel, wiring) in description.wiring.iter().enumerate() {
            if wiring.is_output() {
                self.known |= 1 << channel;
            }
        }
    }

    /// Takes an input's value; `Unknown` when there is no such input.
    pub(crate) fn input(&mut self, channel: u8, value: u16, settings: &Settings) -> Result<(), Fault> {
        match self.wiring(channel) {
            wiring @ (Wiring::DigitalIn | Wiring::AnalogueIn) => {
                self.take(usize::from(channel), value.min(wiring.most()), settings);
                Ok(())
            }
            _ => Err(Fault::Unknown),
        }
    }

    /// Whether the host may set the channel to that value: `Unknown` when there is no such output, `Range`.
    pub(crate) fn check_output(&self, channel: u8, value: u16) -> Result<Wiring, Fault> {
        let wiring = self.wiring(channel);
        if !wiring.is_output() {
            Err(Fault::Unknown)
        } else if value > wiring.most() {
            Err(Fault::Range)
        } else {
            Ok(wiring)
        }
    }

    /// Sets an output that has been checked.
    pub(crate) fn output(&mut self, channel: u8, value: u16, settings: &Settings, outputs: &mut impl Outputs) {
        outputs.channel(channel, value);
        self.take(usize::from(channel), value, settings);
    }

    /// Switches the feeder off.
    pub(crate) fn stop_feeder(&mut self, settings: &Settings, outputs: &mut impl Outputs) {
        for channel in 0..MAX_CHANNELS {
            if self.wiring[channel] == Wiring::FeederRun {
                self.output(channel as u8, 0, settings, outputs);
            }
        }
    }

    /// Whether feeder and belt drive are switched off.
    pub(crate) fn drives_are_off(&self) -> bool {
        let runs =
            |(wiring, value): (&Wiring, &u16)| matches!(wiring, Wiring::FeederRun | Wiring::BeltRun) && *value != 0;
        !self.wiring.iter().zip(&self.values).any(runs)
    }

    /// Everything that is known has to be told: a new host knows nothing.
    pub(crate) const fn report_all(&mut self) {
        self.changed = self.known;
    }

    /// Whether something waits to be reported.
    pub(crate) const fn waits(&self) -> bool {
        self.changed != 0
    }

    /// The lowest channel that waits to be reported.
    pub(crate) fn report(&self) -> Option<FromBoard<'static>> {
        let channel = self.changed.trailing_zeros();
        let value = *self.values.get(channel as usize)?;
        Some(FromBoard::Channel {
            channel: channel as u8,
            value,
        })
    }

    /// [`Self::report`] has been handed to the link.
    pub(crate) fn reported(&mut self) {
        let channel = self.changed.trailing_zeros() as usize;
        if let Some(value) = self.values.get(channel) {
            self.reported[channel] = *value;
            self.changed &= self.changed - 1;
        }
    }

    fn wiring(&self, channel: u8) -> Wiring {
        self.wiring.get(usize::from(channel)).copied().unwrap_or(Wiring::Unused)
    }

    fn take(&mut self, channel: usize, value: u16, settings: &Settings) {
        let bit = 1 << channel;
        let dead_band = match self.wiring[channel] {
            Wiring::AnalogueIn => settings.dead_band(channel).max(1),
            _ => 1,
        };
        self.values[channel] = value;
        if self.known & bit == 0 || u32::from(value.abs_diff(self.reported[channel])) >= dead_band {
            self.known |= bit;
            self.changed |= bit;
        }
    }
}
