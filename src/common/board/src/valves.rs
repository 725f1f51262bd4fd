//! The valves and their fire queue: orders open and close them by compare-match on the encoder, guards shut them by time.
//!
//! Any thread. Words: an order's **edges** are the ticks at which its valve is switched: `on - lag_on * v` and
//! `on + length - lag_off * v`, at the belt's present speed `v` (machines reference, "Ejection"). An order **waits**, then
//! **blows**, then is gone; it blows at most once, whichever way the belt runs. Between two pulses of a valve that
//! overlap, or lie closer than its least off-time, the valve stays open: they are **bridged**. Each keeps its own
//! number, its own edges and its own report.

use units::{BoardUs32, OrderId, Speed, Tick32, ValveId};
use wire::{Amend, Fault, FaultOf, Fire, FromBoard};

use crate::belt::Mark;
use crate::limits::MAX_VALVES;
use crate::outbox::Outbox;
use crate::outputs::Outputs;
use crate::queue::{Order, Queue, Slot};
use crate::settings::{Settings, ValveSettings};

/// No tick, no time: nothing is due.
const NEVER_TICK: i64 = i64::MAX;
const NEVER_US: u64 = u64::MAX;

/// The moment, and what a step at it may use.
pub(crate) struct Step<'a, O> {
    pub(crate) at: Mark,
    pub(crate) speed: Speed,
    pub(crate) settings: &'a Settings,
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) outputs: &'a mut O,
}

#[derive(Clone, Copy, Debug)]
struct Valve {
    /// When it was switched on; none while it is closed.
    opened_us: Option<u64>,
    /// When it was last switched off.
    closed_us: Option<u64>,
    /// When the test pulse ends that holds it open.
    pulse_ends_us: Option<u64>,
    /// Tick and time at which it next needs a look.
    due_tick: i64,
    due_us: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Valves {
    queue: Queue,
    valves: [Valve; MAX_VALVES],
    /// Valves that are open or have orders, a bit each.
    busy: u128,
    /// Valves that are open, a bit each.
    open: u128,
    /// Earliest of the valves' due ticks and times.
    next_tick: i64,
    next_us: u64,
}

const CLOSED: Valve = Valve {
    opened_us: None,
    closed_us: None,
    pulse_ends_us: None,
    due_tick: NEVER_TICK,
    due_us: NEVER_US,
};

impl Valves {
    /// Valves that take no orders yet: [`Self::start`] makes the queue.
    pub(crate) const fn blank() -> Self {
        Self {
            queue: Queue::blank(),
            valves: [CLOSED; MAX_VALVES],
            busy: 0,
            open: 0,
            next_tick: NEVER_TICK,
            next_us: NEVER_US,
        }
    }

    /// Gives the queue room for so many orders.
    pub(crate) fn start(&mut self, queue: u16) {
        self.queue.start(queue);
    }

    /// Orders in the queue.
    pub(crate) const fn queued(&self) -> u16 {
        self.queue.len()
    }

    /// Whether any valve is open.
    pub(crate) const fn blowing(&self) -> bool {
        self.open != 0
    }

    /// Unwrapped tick at which a compare-match is next due.
    pub(crate) const fn next_tick(&self) -> i64 {
        self.next_tick
    }

    /// Time at which a guard is next due.
    pub(crate) const fn next_us(&self) -> u64 {
        self.next_us
    }

    /// Takes an order for a valve that the board has; `on` is its unwrapped tick. Refusals are reported.
    pub(crate) fn fire<O: Outputs>(&mut self, fire: Fire, on: i64, horizon: u32, step: &mut Step<'_, O>) {
        let order = Order {
            id: fire.order,
            valve: fire.valve,
            on,
            length: fire.length,
            begun: None,
        };
        match self.admit(&order, horizon, step) {
            Ok(()) => self.look(fire.valve, step),
            Err(Refusal::Late) => step.late(order.id),
            Err(Refusal::Fault(fault)) => step.outbox.order_fault(order.id, fault),
        }
    }

    fn admit<O>(&mut self, order: &Order, horizon: u32, step: &Step<'_, O>) -> Result<(), Refusal> {
        let of = step.settings.valve(order.valve);
        let (on_edge, off_edge) = edges(order, of, step.speed);
        if order.length == 0 || off_edge <= on_edge {
            return Err(Refusal::Fault(Fault::Range));
        }
        if self.queue.find(order.id).is_some() {
            return Err(Refusal::Fault(Fault::Duplicate));
        }
        if on_edge < step.at.tick {
            return Err(Refusal::Late);
        }
        if order.on - step.at.tick > i64::from(horizon) {
            return Err(Refusal::Fault(Fault::Horizon));
        }
        // At a belt that is too slow to fire the length in time is not known yet; the guard by time holds all the same.
        let length_us = if step.may_fire() {
            us_for(step.speed, off_edge - on_edge)
        } else {
            1
        };
        if length_us > i64::from(of.max_on_us) {
            return Err(Refusal::Fault(Fault::TooLong));
        }
        self.queue
            .insert(*order)
            .map_err(|_full| Refusal::Fault(Fault::QueueFull))?;
        Ok(())
    }

    /// Cuts or cancels an order and answers `Done` or `Gone`; a longer length is refused with `Range`.
    pub(crate) fn amend<O: Outputs>(&mut self, amend: Amend, step: &mut Step<'_, O>) {
        let Some(slot) = self.queue.find(amend.order) else {
            step.outbox.push(FromBoard::Gone { order: amend.order });
            return;
        };
        let order = *self.queue.get(slot);
        if amend.length > order.length {
            step.outbox.order_fault(order.id, Fault::Range);
            return;
        }
        let shorter = Order {
            length: amend.length,
            ..order
        };
        let (_, off_edge) = edges(&shorter, step.settings.valve(order.valve), step.speed);
        let blown = order.begun.is_some() && (amend.length == 0 || off_edge < step.at.tick);
        if blown && amend.length < order.length {
            step.outbox.push(FromBoard::Gone { order: order.id });
            return;
        }
        step.outbox.push(FromBoard::Done { order: order.id });
        if amend.length == 0 {
            self.queue.remove(slot);
        } else {
            self.queue.set_length(slot, amend.length);
        }
        self.look(order.valve, step);
    }

    /// Opens a valve for a test. The caller has seen to it that belt and feeder stand still.
    pub(crate) fn pulse<O: Outputs>(&mut self, valve: ValveId, us: u16, step: &mut Step<'_, O>) {
        let of = *step.settings.valve(valve);
        let at = &mut self.valves[valve.index()];
        let fault = if us == 0 {
            Some(Fault::Range)
        } else if u32::from(us) > of.max_on_us {
            Some(Fault::TooLong)
        } else if at.opened_us.is_some() || at.recovers_us(&of) > step.at.us {
            Some(Fault::Duplicate)
        } else {
            None
        };
        if let Some(fault) = fault {
            step.outbox.fault(FaultOf::Valve(valve), fault);
            return;
        }
        at.pulse_ends_us = Some(step.at.us + u64::from(us));
        self.switch_on(valve, step);
        self.look(valve, step);
    }

    /// Closes every valve and forgets every order, without a report for each.
    pub(crate) fn close_all(&mut self, at: Mark, outputs: &mut impl Outputs) {
        for valve in bits(self.open) {
            outputs.valve(valve, false);
            self.valves[valve.index()] = Valve {
                closed_us: Some(at.us),
                ..CLOSED
            };
        }
        for valve in bits(self.busy) {
            self.valves[valve.index()].due_tick = NEVER_TICK;
            self.valves[valve.index()].due_us = NEVER_US;
        }
        self.queue.clear();
        self.open = 0;
        self.busy = 0;
        self.next_tick = NEVER_TICK;
        self.next_us = NEVER_US;
    }

    /// Does what is due. `everything` looks at every busy valve, because the speed has changed and all edges with it.
    pub(crate) fn advance<O: Outputs>(&mut self, everything: bool, step: &mut Step<'_, O>) {
        if !everything && step.at.tick < self.next_tick && step.at.us < self.next_us {
            return;
        }
        for valve in bits(self.busy) {
            let at = &self.valves[valve.index()];
            if everything || at.due_tick <= step.at.tick || at.due_us <= step.at.us {
                self.settle(valve, step);
            }
        }
        self.find_next();
    }

    /// Looks at one valve after something has changed.
    fn look<O: Outputs>(&mut self, valve: ValveId, step: &mut Step<'_, O>) {
        self.settle(valve, step);
        self.find_next();
    }

    fn find_next(&mut self) {
        self.next_tick = NEVER_TICK;
        self.next_us = NEVER_US;
        for valve in bits(self.busy) {
            let at = &self.valves[valve.index()];
            self.next_tick = self.next_tick.min(at.due_tick);
            self.next_us = self.next_us.min(at.due_us);
        }
    }

    /// Brings one valve to where the moment wants it, and notes when it next needs a look.
    fn settle<O: Outputs>(&mut self, valve: ValveId, step: &mut Step<'_, O>) {
        self.end_pulse(valve, step);
        self.force_shut(valve, 1, step);
        let blows = self.match_edges(valve, step);
        if self.valves[valve.index()].opened_us.is_some()
            && !blows
            && self.valves[valve.index()].pulse_ends_us.is_none()
            && !self.is_bridged(valve, step)
        {
            self.switch_off(valve, step);
        }
        self.force_shut(valve, 0, step);
        self.plan(valve, step);
    }

    fn end_pulse<O>(&mut self, valve: ValveId, step: &mut Step<'_, O>) {
        let at = &mut self.valves[valve.index()];
        if at.pulse_ends_us.is_some_and(|ends| ends <= step.at.us) {
            at.pulse_ends_us = None;
            step.outbox.push(FromBoard::Pulsed { valve });
        }
    }

    /// Ends the orders whose off edge has come and begins those whose on edge has. Says whether one blows now.
    fn match_edges<O: Outputs>(&mut self, valve: ValveId, step: &mut Step<'_, O>) -> bool {
        let of = *step.settings.valve(valve);
        let mut blows = false;
        let mut next = self.queue.first(valve);
        while let Some(slot) = next {
            next = self.queue.next(slot);
            let order = *self.queue.get(slot);
            let (on_edge, off_edge) = edges(&order, &of, step.speed);
            if let Some(begun) = order.begun {
                if off_edge <= step.at.tick {
                    self.queue.remove(slot);
                    step.fired(order.id, begun);
                } else {
                    blows = true;
                }
            } else if on_edge > step.at.tick {
                break;
            } else {
                blows |= self.begin(slot, off_edge - on_edge, off_edge, step);
            }
        }
        blows
    }

    /// The on edge of a waiting order has come: it begins to blow, goes, or waits until the valve has recovered.
    fn begin<O: Outputs>(&mut self, slot: Slot, length: i64, off_edge: i64, step: &mut Step<'_, O>) -> bool {
        let order = *self.queue.get(slot);
        let at = &self.valves[order.valve.index()];
        if !step.may_fire() {
            self.queue.remove(slot);
            step.outbox.order_fault(order.id, Fault::TooSlow);
        } else if length <= 0 {
            // Cut, or the belt has become so fast, that the lags leave nothing of it.
            self.queue.remove(slot);
            step.outbox.order_fault(order.id, Fault::Range);
        } else if off_edge <= step.at.tick {
            self.queue.remove(slot);
            step.late(order.id);
        } else if at.opened_us.is_some() || at.recovers_us(step.settings.valve(order.valve)) <= step.at.us {
            self.queue.begin(slot, step.at);
            if at.opened_us.is_none() {
                self.switch_on(order.valve, step);
            }
            return true;
        }
        false
    }

    /// Whether an open valve in which nothing blows stays open for the next order.
    fn is_bridged<O>(&self, valve: ValveId, step: &Step<'_, O>) -> bool {
        let Some(slot) = self.queue.first(valve) else {
            return false;
        };
        let of = step.settings.valve(valve);
        let (on_edge, _) = edges(self.queue.get(slot), of, step.speed);
        step.may_fire() && us_for(step.speed, on_edge - step.at.tick) < i64::from(of.min_off_us)
    }

    /// Shuts a valve that has been open for its longest time and `grace_us` more, and drops what blows in it.
    fn force_shut<O: Outputs>(&mut self, valve: ValveId, grace_us: u64, step: &mut Step<'_, O>) {
        let longest_us = u64::from(step.settings.valve(valve).max_on_us);
        let at = &mut self.valves[valve.index()];
        let Some(opened_us) = at.opened_us else { return };
        if step.at.us < opened_us + longest_us + grace_us {
            return;
        }
        if at.pulse_ends_us.take().is_some() {
            step.outbox.push(FromBoard::Pulsed { valve });
        }
        let mut next = self.queue.first(valve);
        while let Some(slot) = next {
            next = self.queue.next(slot);
            if self.queue.get(slot).begun.is_some() {
                let order = self.queue.remove(slot);
                step.outbox.order_fault(order.id, Fault::ForcedShut);
            }
        }
        step.outbox.fault(FaultOf::Valve(valve), Fault::ForcedShut);
        self.switch_off(valve, step);
    }

    fn switch_on<O: Outputs>(&mut self, valve: ValveId, step: &mut Step<'_, O>) {
        step.outputs.valve(valve, true);
        self.valves[valve.index()].opened_us = Some(step.at.us);
        self.open |= 1 << valve.0;
    }

    fn switch_off<O: Outputs>(&mut self, valve: ValveId, step: &mut Step<'_, O>) {
        step.outputs.valve(valve, false);
        let at = &mut self.valves[valve.index()];
        at.opened_us = None;
        at.closed_us = Some(step.at.us);
        self.open &= !(1 << valve.0);
    }

    /// Notes the tick and time at which a valve next needs a look.
    fn plan<O>(&mut self, valve: ValveId, step: &Step<'_, O>) {
        let of = step.settings.valve(valve);
        let at = &self.valves[valve.index()];
        let mut due_tick = NEVER_TICK;
        let mut due_us = at.opened_us.map_or(NEVER_US, |opened| opened + u64::from(of.max_on_us));
        due_us = due_us.min(at.pulse_ends_us.unwrap_or(NEVER_US));
        let mut next = self.queue.first(valve);
        let busy = next.is_some() || at.opened_us.is_some();
        while let Some(slot) = next {
            let order = self.queue.get(slot);
            let (on_edge, off_edge) = edges(order, of, step.speed);
            if order.begun.is_none() && on_edge > step.at.tick {
                due_tick = due_tick.min(on_edge);
                break;
            }
            due_tick = due_tick.min(off_edge);
            if order.begun.is_none() {
                due_us = due_us.min(at.recovers_us(of));
            }
            next = self.queue.next(slot);
        }
        let at = &mut self.valves[valve.index()];
        at.due_tick = due_tick;
        at.due_us = due_us;
        let bit = 1 << valve.0;
        self.busy = if busy { self.busy | bit } else { self.busy & !bit };
    }
}

/// Why an order is not taken.
enum Refusal {
    Late,
    Fault(Fault),
}

impl Valve {
    /// When a closed valve may open again.
    fn recovers_us(&self, of: &ValveSettings) -> u64 {
        self.closed_us.map_or(0, |closed| closed + u64::from(of.min_off_us))
    }
}

impl<O> Step<'_, O> {
    /// Whether the belt runs forwards, and fast enough.
    fn may_fire(&self) -> bool {
        self.speed.0 >= self.settings.least_speed()
    }

    fn late(&mut self, order: OrderId) {
        self.outbox.push(FromBoard::Late {
            order,
            tick: wrapped_tick(self.at.tick),
        });
    }

    fn fired(&mut self, order: OrderId, begun: Mark) {
        let open_us = u32::try_from(self.at.us - begun.us).unwrap_or(u32::MAX);
        self.outbox.push(FromBoard::Fired {
            order,
            opened: wrapped_tick(begun.tick),
            open_us,
        });
    }
}

/// The ticks at which an order's valve is switched on and off.
fn edges(order: &Order, of: &ValveSettings, speed: Speed) -> (i64, i64) {
    let on_edge = order.on - speed.ticks_in(i64::from(of.lag_on_us));
    let off_edge = order.on + i64::from(order.length) - speed.ticks_in(i64::from(of.lag_off_us));
    (on_edge, off_edge)
}

/// Microseconds for `ticks` on a belt that runs forwards.
fn us_for(speed: Speed, ticks: i64) -> i64 {
    speed.us_for(ticks).unwrap_or(i64::MAX)
}

/// An unwrapped tick as the bus has it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the low 32 bits are wanted"
)]
pub(crate) const fn wrapped_tick(tick: i64) -> Tick32 {
    Tick32(tick as u32)
}

/// A time as the bus has it.
#[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are wanted")]
pub(crate) const fn wrapped_us(us: u64) -> BoardUs32 {
    BoardUs32(us as u32)
}

/// The valves of a set of bits, lowest first.
fn bits(mut set: u128) -> impl Iterator<Item = ValveId> {
    core::iter::from_fn(move || {
        let lowest = set.trailing_zeros();
        if lowest == u128::BITS {
            return None;
        }
        set &= set - 1;
        u8::try_from(lowest).ok().map(ValveId)
    })
}
