//! A board without its link: what every message and every input does to valves, eyes and channels.
//!
//! Any thread. Words: a board is **latched** when its watchdog has closed everything; only a new connection frees it.

use units::{EyeId, Tick32};
use wire::{BoardLimits, Fault, FaultOf, Fire, FromBoard, Identity, Setting, Status, ToBoard};

use crate::belt::{Belt, Now};
use crate::channels::Channels;
use crate::description::{Description, Wiring};
use crate::eyes::Eyes;
use crate::limits::STATUS_PASSED_OVER;
use crate::outbox::Outbox;
use crate::outputs::Outputs;
use crate::settings::Settings;
use crate::valves::{Step, Valves, wrapped_tick, wrapped_us};

/// Whether valves may fire, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arming {
    /// Not armed, or no longer.
    Off,
    /// Armed; last fed at this time.
    On { fed_us: u64 },
    /// The watchdog has closed everything.
    Latched,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Controls {
    description: Description,
    /// Set by the host, not yet in force.
    staged: Settings,
    settings: Settings,
    settings_crc: u32,
    belt: Belt,
    valves: Valves,
    eyes: Eyes,
    channels: Channels,
    arming: Arming,
    /// Latest `Feed` count that has come.
    fed: u16,
    /// When the next `Status` is due; none without a connection.
    status_due_us: Option<u64>,
    pub(crate) outbox: Outbox,
}

impl Controls {
    /// Controls of a board that has nothing: [`Self::start`] says what it has.
    pub(crate) const fn blank() -> Self {
        Self {
            staged: Settings::new(),
            settings_crc: 0,
            settings: Settings::new(),
            belt: Belt::new(),
            valves: Valves::blank(),
            eyes: Eyes::new(),
            channels: Channels::blank(),
            arming: Arming::Off,
            fed: 0,
            status_due_us: None,
            outbox: Outbox::new(),
            description: Description::NOTHING,
        }
    }

    /// Takes what the board is.
    pub(crate) fn start(&mut self, description: &Description) {
        description.assert_possible();
        self.description = *description;
        self.settings_crc = self.settings.crc(&description.limits);
        self.valves.start(description.limits.queue);
        self.channels.start(description);
    }

    /// The answer to `Hello`.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            protocol: wire::PROTOCOL,
            uid: self.description.uid,
            firmware: self.description.firmware,
            limits: self.description.limits,
            settings_crc: self.settings_crc,
            starts: self.description.starts,
        }
    }

    /// Unacknowledged messages are forgotten and everything is closed: a new host knows nothing of the old one's orders.
    pub(crate) fn connect(&mut self, outputs: &mut impl Outputs) {
        self.shut(outputs);
        self.channels.stop_feeder(&self.settings, outputs);
        self.arming = Arming::Off;
        self.staged = self.settings.clone();
        self.fed = 0;
        self.outbox.clear();
        self.channels.report_all();
        self.status_due_us = Some(self.belt.at().us);
    }

    /// Takes a reading of clock and encoder, and does what is due at it.
    pub(crate) fn advance(&mut self, now: Now, outputs: &mut impl Outputs) {
        let speed_changed = self.belt.follow(now);
        let at_us = self.belt.at().us;
        if let Arming::On { fed_us } = self.arming
            && at_us >= fed_us + self.settings.watchdog_us()
        {
            self.latch(outputs);
        }
        let (valves, mut step) = self.step(outputs);
        valves.advance(speed_changed, &mut step);
        if self.eyes.waits() {
            self.eyes.advance(now.tick, &self.settings, &mut self.outbox, outputs);
        }
        if let Some(due_us) = self.status_due_us
            && at_us >= due_us
        {
            self.report_status(now.tick);
            self.status_due_us = Some(at_us.max(due_us + self.settings.status_us()));
        }
    }

    /// Does what a message of the connection says. The caller has called [`Self::advance`] with the same moment.
    pub(crate) fn obey(&mut self, message: &ToBoard, outputs: &mut impl Outputs) {
        match *message {
            // Connections are the link's affair.
            ToBoard::Hello(_) => {}
            ToBoard::Set(setting) => self.set(setting),
            ToBoard::Commit => self.commit(),
            ToBoard::Arm { settings_crc } => self.arm(settings_crc),
            ToBoard::Disarm => self.disarm(outputs),
            ToBoard::Feed { count } => {
                self.fed = count;
                if let Arming::On { fed_us } = &mut self.arming {
                    *fed_us = self.belt.at().us;
                }
            }
            ToBoard::Fire(fire) => self.fire(fire, outputs),
            ToBoard::Amend(amend) => {
                let (valves, mut step) = self.step(outputs);
                valves.amend(amend, &mut step);
            }
            ToBoard::Output { channel, value } => self.output(channel, value, outputs),
            ToBoard::Pulse { valve, us } => {
                let of = FaultOf::Valve(valve);
                if valve.0 >= self.limits().valves {
                    self.outbox.fault(of, Fault::Unknown);
                } else if self.arming == Arming::Latched {
                    self.outbox.fault(of, Fault::Watchdog);
                } else if !self.belt.stands_still() || !self.channels.drives_are_off() {
                    self.outbox.fault(of, Fault::Moving);
                } else {
                    let (valves, mut step) = self.step(outputs);
                    valves.pulse(valve, us, &mut step);
                }
            }
        }
    }

    /// Takes an edge of an eye, latched at `tick`.
    pub(crate) fn eye(&mut self, eye: EyeId, interrupted: bool, tick: Tick32, outputs: &mut impl Outputs) {
        if eye.0 < self.limits().eyes {
            self.eyes
                .edge(eye, interrupted, tick, &self.settings, &mut self.outbox, outputs);
        } else {
            self.outbox.fault(FaultOf::Board, Fault::Unknown);
        }
    }

    /// Takes the value of an input channel.
    pub(crate) fn channel_input(&mut self, channel: u8, value: u16) {
        if let Err(fault) = self.channels.input(channel, value, &self.settings) {
            self.outbox.fault(FaultOf::Board, fault);
        }
    }

    /// Channels to report, one after another.
    pub(crate) const fn channels(&mut self) -> &mut Channels {
        &mut self.channels
    }

    /// Whether a report or a channel waits for the link.
    pub(crate) fn has_reports(&self) -> bool {
        self.outbox.front().is_some() || self.channels.waits()
    }

    /// Time at which something is next due, the compare-matches apart.
    pub(crate) fn next_deadline_us(&self) -> Option<u64> {
        let watchdog = match self.arming {
            Arming::On { fed_us } => Some(fed_us + self.settings.watchdog_us()),
            Arming::Off | Arming::Latched => None,
        };
        let guard = Some(self.valves.next_us()).filter(|us| *us != u64::MAX);
        [watchdog, guard, self.status_due_us].into_iter().flatten().min()
    }

    /// Tick at which an edge of an order or the confirmation of an interruption is next due.
    pub(crate) fn next_match_tick(&self) -> Option<Tick32> {
        let at = self.belt.at().tick;
        let edge = Some(self.valves.next_tick()).filter(|tick| *tick != i64::MAX);
        let eye = self
            .eyes
            .ticks_to_confirm(wrapped_tick(at), &self.settings)
            .map(|ticks| at + ticks.max(0));
        [edge, eye].into_iter().flatten().min().map(wrapped_tick)
    }

    /// Whether valves may fire.
    pub(crate) const fn is_armed(&self) -> bool {
        matches!(self.arming, Arming::On { .. })
    }

    fn limits(&self) -> &BoardLimits {
        &self.description.limits
    }

    fn step<'a, O: Outputs>(&'a mut self, outputs: &'a mut O) -> (&'a mut Valves, Step<'a, O>) {
        let step = Step {
            at: self.belt.at(),
            speed: self.belt.speed(),
            settings: &self.settings,
            outbox: &mut self.outbox,
            outputs,
        };
        (&mut self.valves, step)
    }

    fn shut(&mut self, outputs: &mut impl Outputs) {
        self.valves.close_all(self.belt.at(), outputs);
    }

    fn latch(&mut self, outputs: &mut impl Outputs) {
        self.shut(outputs);
        self.channels.stop_feeder(&self.settings, outputs);
        self.arming = Arming::Latched;
        self.outbox.push(FromBoard::Disarmed { by_watchdog: true });
    }

    fn disarm(&mut self, outputs: &mut impl Outputs) {
        self.shut(outputs);
        if let Arming::On { .. } = self.arming {
            self.arming = Arming::Off;
        }
        self.outbox.push(FromBoard::Disarmed { by_watchdog: false });
    }

    fn arm(&mut self, settings_crc: u32) {
        let fault = match self.arming {
            Arming::Latched => Some(Fault::Watchdog),
            _ if settings_crc != self.settings_crc => Some(Fault::Settings),
            _ => None,
        };
        if let Some(fault) = fault {
            self.outbox.fault(FaultOf::Board, fault);
            return;
        }
        // Arming a board that is armed feeds nothing: only `Feed` does.
        if self.arming == Arming::Off {
            self.arming = Arming::On {
                fed_us: self.belt.at().us,
            };
        }
        self.outbox.push(FromBoard::Armed);
    }

    fn set(&mut self, setting: Setting) {
        let result = match self.arming {
            Arming::On { .. } => Err(Fault::Armed),
            Arming::Off | Arming::Latched => self.staged.set(&self.description.limits, setting),
        };
        if let Err(fault) = result {
            self.outbox.fault(FaultOf::Board, fault);
        }
    }

    fn commit(&mut self) {
        if let Arming::On { .. } = self.arming {
            self.outbox.fault(FaultOf::Board, Fault::Armed);
            return;
        }
        self.settings = self.staged.clone();
        self.settings_crc = self.settings.crc(&self.description.limits);
        // A shorter period counts from now, not from the end of the one that ran.
        let next_us = self.belt.at().us + self.settings.status_us();
        self.status_due_us = self.status_due_us.map(|due_us| due_us.min(next_us));
        self.outbox.push(FromBoard::Settings {
            settings_crc: self.settings_crc,
        });
    }

    fn fire(&mut self, fire: Fire, outputs: &mut impl Outputs) {
        let fault = match self.arming {
            Arming::Latched => Some(Fault::Watchdog),
            Arming::Off => Some(Fault::NotArmed),
            Arming::On { .. } if fire.valve.0 >= self.limits().valves => Some(Fault::Unknown),
            Arming::On { .. } => None,
        };
        if let Some(fault) = fault {
            self.outbox.order_fault(fire.order, fault);
            return;
        }
        let on = self.belt.unwrapped(fire.on);
        let horizon = self.limits().horizon_ticks;
        let (valves, mut step) = self.step(outputs);
        valves.fire(fire, on, horizon, &mut step);
    }

    fn output(&mut self, channel: u8, value: u16, outputs: &mut impl Outputs) {
        let latched = self.arming == Arming::Latched;
        match self.channels.check_output(channel, value) {
            Err(fault) => self.outbox.fault(FaultOf::Board, fault),
            Ok(Wiring::FeederRun) if latched && value != 0 => {
                self.outbox.fault(FaultOf::Board, Fault::Watchdog);
            }
            Ok(_) => self.channels.output(channel, value, &self.settings, outputs),
        }
    }

    fn report_status(&mut self, tick: Tick32) {
        if self.outbox.len() >= STATUS_PASSED_OVER {
            return;
        }
        self.outbox.push(FromBoard::Status(Status {
            at: wrapped_us(self.belt.at().us),
            tick,
            fed: self.fed,
            queued: self.valves.queued(),
            armed: self.is_armed(),
            blowing: self.valves.blowing(),
            dropped: self.outbox.dropped(),
        }));
    }
}
