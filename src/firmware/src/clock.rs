//! The board's clock: microseconds in 64 bits from two counters of the chip.
//!
//! SysTick counts the processor's cycles, but only 24 bits of them (a third of a second). The watchdog's counter is
//! longer and runs since it was last fed: it tells how many times SysTick has gone round. So the clock stays right over a
//! pause of nearly twice the watchdog's time, which no chip makes but an emulator on a busy computer does.

use crate::hardware::{self, CYCLES_A_US, WATCHDOG_CYCLES};

/// SysTick's range.
const ROUND: u32 = 1 << 24;
/// Two looks at the watchdog closer than this stand for one moment with the look at SysTick between them.
const ONE_MOMENT: u32 = ROUND / 16;

const _: () = assert!(WATCHDOG_CYCLES > ROUND, "the watchdog's counter is the longer one");
const _: () = assert!(WATCHDOG_CYCLES < u32::MAX / 2 - ROUND, "twice its time fits 32 bits");

/// See the module.
pub(crate) struct Clock {
    /// Time when the watchdog was last fed, us, and SysTick at that microsecond's beginning.
    fed_us: u64,
    fed_systick: u32,
    /// Microseconds by which the clock was set forward.
    ahead_us: u64,
}

impl Clock {
    /// A clock at 0. Feeds the watchdog.
    pub(crate) fn start() -> Self {
        hardware::feed_watchdog();
        Self {
            fed_us: 0,
            fed_systick: hardware::systick(),
            ahead_us: 0,
        }
    }

    /// Microseconds since the board started, and what it was set forward by.
    pub(crate) fn now_us(&self) -> u64 {
        self.ahead_us + self.fed_us + u64::from(self.cycles().0 / CYCLES_A_US)
    }

    /// Feeds the watchdog: the main loop's, once each round.
    pub(crate) fn feed_watchdog(&mut self) {
        let (cycles, systick) = self.cycles();
        hardware::feed_watchdog();
        self.fed_us += u64::from(cycles / CYCLES_A_US);
        // SysTick counts down: it stood higher at the microsecond's beginning.
        self.fed_systick = systick.wrapping_add(cycles % CYCLES_A_US) % ROUND;
    }

    /// Sets the clock forward to `us`.
    pub(crate) fn set(&mut self, us: u64) {
        self.ahead_us += us.saturating_sub(self.now_us());
    }

    /// Cycles since the watchdog was fed, and SysTick now.
    fn cycles(&self) -> (u32, u32) {
        loop {
            let before = hardware::watchdog_cycles();
            let systick = hardware::systick();
            let after = hardware::watchdog_cycles();
            if after.wrapping_sub(before) < ONE_MOMENT {
                let fine = self.fed_systick.wrapping_sub(systick) % ROUND;
                // The whole rounds that bring the fine count nearest to the coarse one.
                let rounds = before.wrapping_sub(fine).wrapping_add(ROUND / 2) / ROUND;
                let rounds = if before + ROUND / 2 < fine { 0 } else { rounds };
                return (fine + rounds * ROUND, systick);
            }
        }
    }
}
