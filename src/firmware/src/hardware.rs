//! The chip: LM3S6965, a Cortex-M3 at 50 MHz. The only module with `unsafe`: registers, interrupts, the first
//! instructions, the reset.
//!
//! UART0 is the field bus, UART1 the test stand. The valves hang on a chain of shift registers at SSI0 (valve 0 is the
//! last bit to leave), whose outputs follow when SSI0's frame signal rises. SysTick counts cycles, timer 0 ends a sleep,
//! watchdog 0 starts the chip anew when the main loop does not come round. The two user registers hold the board's
//! number (on this chip boards keep their network address there).

use core::arch::{asm, global_asm};
use core::ptr::{read_volatile, write_volatile};
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence};

use board::Board;
use stand::Cause;

use crate::ring::Ring;

/// Processor cycles in a microsecond.
pub(crate) const CYCLES_A_US: u32 = 50;
/// Cycles after which the watchdog is overdue; after as many again it starts the chip anew. Half a second each: an
/// emulator's pauses are no faults of the program.
pub(crate) const WATCHDOG_CYCLES: u32 = 25_000_000;
/// Longest sleep, us: the watchdog is fed at least so often.
pub(crate) const LONGEST_SLEEP_US: u64 = 50_000;
/// Speed of both serial lines.
pub(crate) const BAUD: u32 = 1_000_000;

/// Bytes from the field bus: eight whole frames, back to back, and one more.
pub(crate) static BUS_IN: Ring<2048> = Ring::new();
/// Bytes from the test stand.
pub(crate) static STAND_IN: Ring<2048> = Ring::new();

const _: () = assert!(board::limits::WINDOW * wire::ENCODED_MAX < 2048);
const _: () = assert!(LONGEST_SLEEP_US * 4 < (WATCHDOG_CYCLES / CYCLES_A_US) as u64);

const SYSCTL: usize = 0x400F_E000;
const WATCHDOG: usize = 0x4000_0000;
const GPIO_A: usize = 0x4000_4000;
const GPIO_C: usize = 0x4000_6000;
const GPIO_D: usize = 0x4000_7000;
const SSI0: usize = 0x4000_8000;
const TIMER0: usize = 0x4003_0000;
const SYSTICK: usize = 0xE000_E010;
const NVIC_ENABLE: usize = 0xE000_E100;
const RESET_CONTROL: usize = 0xE000_ED0C;

const UART0_INTERRUPT: u32 = 5;
const UART1_INTERRUPT: u32 = 6;
const TIMER0_INTERRUPT: u32 = 19;

/// Marks memory that outlived a reset.
const KEPT: u32 = 0x5045_4152;

// What outlives a reset, but no loss of supply: whether it did, the number of starts, why the last run ended, for how long
// to stay dark.
#[unsafe(link_section = ".kept")]
static KEPT_MARK: AtomicU32 = AtomicU32::new(0);
#[unsafe(link_section = ".kept")]
static KEPT_STARTS: AtomicU32 = AtomicU32::new(0);
#[unsafe(link_section = ".kept")]
static KEPT_CAUSE: AtomicU32 = AtomicU32::new(0);
#[unsafe(link_section = ".kept")]
static KEPT_DARK_US: AtomicU32 = AtomicU32::new(0);

// The vectors and the first instructions: the stack is filled with a pattern (to see how much of it was used), memory is
// prepared, and `main` runs. An interrupt or fault that nobody expects is a panic.
global_asm!(
    ".section .vectors, \"a\"",
    ".word _stack_top",
    ".word reset",
    ".rept 13", // NMI to PendSV
    ".word fault",
    ".endr",
    ".word fault", // SysTick counts without an interrupt
    ".rept 5",
    ".word fault",
    ".endr",
    ".word on_uart0", // 5
    ".word on_uart1", // 6
    ".rept 12",
    ".word fault",
    ".endr",
    ".word on_timer0", // 19
    ".rept 24",
    ".word fault",
    ".endr",
    ".section .text.reset, \"ax\"",
    ".global reset",
    ".type reset, %function",
    ".thumb_func",
    "reset:",
    "cpsid i",
    "ldr r0, =_stack_bottom",
    "ldr r1, =_stack_top",
    "ldr r2, =0xCDCDCDCD",
    "1: cmp r0, r1",
    "it lo",
    "strlo r2, [r0], #4",
    "blo 1b",
    "ldr r0, =_data_start",
    "ldr r1, =_data_end",
    "ldr r3, =_data_in_flash",
    "2: cmp r0, r1",
    "itt lo",
    "ldrlo r2, [r3], #4",
    "strlo r2, [r0], #4",
    "blo 2b",
    "ldr r0, =_bss_start",
    "ldr r1, =_bss_end",
    "movs r2, #0",
    "3: cmp r0, r1",
    "it lo",
    "strlo r2, [r0], #4",
    "blo 3b",
    "bl firmware_main",
    ".type fault, %function",
    ".thumb_func",
    "fault:",
    "ldr r0, =_stack_top", // the stack may be what failed
    "mov sp, r0",
    "bl on_fault",
    ".ltorg",
);

unsafe extern "C" {
    static _stack_bottom: u32;
    static _stack_top: u32;
}

/// The pattern of stack that was never used, as `reset` fills it in.
const STACK_PATTERN: u32 = 0xCDCD_CDCD;

fn read(base: usize, offset: usize) -> u32 {
    // SAFETY: every caller names a register of this chip by its data sheet: aligned, always mapped. Reading one has no
    // effect on memory.
    unsafe { read_volatile((base + offset) as *const u32) }
}

fn write(base: usize, offset: usize, value: u32) {
    // SAFETY: every caller names a register of this chip by its data sheet. None of them lets a peripheral write to
    // memory: no DMA is used.
    unsafe { write_volatile((base + offset) as *mut u32, value) }
}

/// One of the chip's serial ports.
#[derive(Clone, Copy)]
pub(crate) enum Port {
    /// UART0.
    Bus,
    /// UART1.
    Stand,
}

impl Port {
    const fn base(self) -> usize {
        match self {
            Self::Bus => 0x4000_C000,
            Self::Stand => 0x4000_D000,
        }
    }

    /// 8 bits, no parity, one stop bit, FIFOs; interrupts when bytes come.
    fn start(self) {
        let base = self.base();
        // Sixteen samples a bit, in 64ths.
        let divisor = CYCLES_A_US * 1_000_000 * 4 / BAUD;
        write(base, CONTROL, 0);
        write(base, 0x24, divisor / 64);
        write(base, 0x28, divisor % 64);
        write(base, 0x2C, 0x70);
        write(base, 0x34, 0x10); // received bytes interrupt at a half-full FIFO, or when nothing follows
        write(base, CONTROL, 0x301);
        write(base, MASK, RECEIVE);
    }

    /// Hands a byte to the port if it has room.
    pub(crate) fn send(self, byte: u8) -> bool {
        let has_room = read(self.base(), FLAGS) & FULL == 0;
        if has_room {
            write(self.base(), DATA, u32::from(byte));
        }
        has_room
    }

    /// Ends a sleep when there is room again.
    pub(crate) fn wake_when_room(self) {
        write(self.base(), MASK, RECEIVE | TRANSMIT);
    }

    fn on_interrupt<const N: usize>(self, ring: &Ring<N>) {
        let base = self.base();
        write(base, CLEAR, RECEIVE | TRANSMIT);
        // Room to send is asked for anew each time.
        write(base, MASK, RECEIVE);
        while read(base, FLAGS) & EMPTY == 0 {
            let data = read(base, DATA);
            if data & OVERRUN != 0 {
                ring.count_lost();
            }
            ring.push((data & 0xFF) as u8);
        }
    }
}

const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const CONTROL: usize = 0x30;
const MASK: usize = 0x38;
const CLEAR: usize = 0x44;
const EMPTY: u32 = 1 << 4;
const FULL: u32 = 1 << 5;
const OVERRUN: u32 = 1 << 11;
const RECEIVE: u32 = 1 << 4 | 1 << 6; // bytes, and bytes that nothing follows
const TRANSMIT: u32 = 1 << 5;

/// Prepares the chip, valves first, and says why it has started and for which time.
pub(crate) fn start() -> (Cause, u16) {
    write(SYSCTL, 0x104, 1 << 0 | 1 << 1 | 1 << 4 | 1 << 16); // UART0, UART1, SSI0, timer 0
    write(SYSCTL, 0x108, 1 << 0 | 1 << 2 | 1 << 3); // ports A, C and D
    clocks();
    write(GPIO_A, 0x420, 0x3F); // UART0 on PA0, PA1; SSI0 on PA2 to PA5
    write(GPIO_A, 0x51C, 0x3F);
    write(GPIO_D, 0x420, 0x0C); // UART1 on PD2, PD3
    write(GPIO_D, 0x51C, 0x0C);
    // The evaluation kit's display listens to SSI0 too: PC7 tells it that these are no commands.
    write(GPIO_C, 0x400, 1 << 7);
    write(GPIO_C, 0x51C, 1 << 7);
    write(GPIO_C, 4 << 7, 1 << 7);
    write(SSI0, 0x04, 0);
    write(SSI0, 0x10, 2); // 25 MHz, divided by 2: eight bytes take 5 us
    write(SSI0, 0x00, 0x0107); // bytes
    write(SSI0, 0x04, 1 << 1);
    shift_out(0);
    Port::Bus.start();
    Port::Stand.start();
    write(SYSTICK, 0x04, 0x00FF_FFFF);
    write(SYSTICK, 0x08, 0);
    write(SYSTICK, 0x00, 0b101); // the processor's clock, no interrupt
    write(TIMER0, 0x0C, 0);
    write(TIMER0, 0x00, 0); // 32 bits
    write(TIMER0, 0x04, 1); // once
    write(TIMER0, 0x18, 1);
    write(SYSCTL, 0x100, 1 << 3); // watchdog
    write(WATCHDOG, 0x00, WATCHDOG_CYCLES);
    write(WATCHDOG, 0x08, 0b11);
    write(
        NVIC_ENABLE,
        0,
        1 << UART0_INTERRUPT | 1 << UART1_INTERRUPT | 1 << TIMER0_INTERRUPT,
    );
    let (cause, starts) = count_start();
    // SAFETY: rings and registers are ready for the handlers.
    unsafe { asm!("cpsie i") };
    let dark_us = u64::from(KEPT_DARK_US.load(Ordering::Relaxed));
    KEPT_DARK_US.store(0, Ordering::Relaxed);
    stay_dark(dark_us);
    (cause, starts)
}

/// 50 MHz from the 8 MHz crystal by way of the PLL.
fn clocks() {
    const BYPASS: u32 = 1 << 11;
    let settings = 3 << 23 | 1 << 22 | 0xE << 6;
    write(SYSCTL, 0x60, settings | BYPASS);
    let mut patience = 100_000;
    while read(SYSCTL, 0x50) & 1 << 6 == 0 && patience > 0 {
        patience -= 1;
    }
    write(SYSCTL, 0x60, settings);
}

/// Why the chip has started, and how often it has.
fn count_start() -> (Cause, u16) {
    let (cause, starts) = if KEPT_MARK.load(Ordering::Relaxed) == KEPT {
        let cause = match KEPT_CAUSE.load(Ordering::Relaxed) {
            1 => Cause::Asked,
            2 => Cause::Panic,
            _ => Cause::Watchdog,
        };
        (cause, KEPT_STARTS.load(Ordering::Relaxed).wrapping_add(1))
    } else {
        KEPT_DARK_US.store(0, Ordering::Relaxed);
        (Cause::Power, 1)
    };
    KEPT_MARK.store(KEPT, Ordering::Relaxed);
    KEPT_STARTS.store(starts, Ordering::Relaxed);
    KEPT_CAUSE.store(Cause::Watchdog as u32, Ordering::Relaxed);
    (cause, (starts & 0xFFFF) as u16)
}

/// Passes time as a board without supply would: deaf and dumb.
fn stay_dark(dark_us: u64) {
    let mut clock = crate::clock::Clock::start();
    while clock.now_us() < dark_us {
        clock.feed_watchdog();
        sleep(|| true, 1_000);
        let mut nothing = [0; 64];
        while BUS_IN.take(&mut nothing) > 0 {}
        while STAND_IN.take(&mut nothing) > 0 {}
    }
}

/// The board, blank. Called once.
pub(crate) fn board() -> &'static mut Board {
    static mut BOARD: Board = Board::blank(BAUD);
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    assert!(TAKEN.swap(1, Ordering::Relaxed) == 0, "there is one board");
    let board = &raw mut BOARD;
    // SAFETY: nobody else names it, and a second call ends above: the reference is the only one.
    unsafe { &mut *board }
}

/// The board's number: "PEARL" and the last three bytes of the address in the user registers.
pub(crate) fn uid() -> u64 {
    let [_, last, middle, first] = read(SYSCTL, 0x1E4).to_be_bytes();
    0x5045_4152_4C00_0000 | u64::from(u32::from_be_bytes([0, first, middle, last]))
}

/// SysTick's count, 24 bits, downwards.
pub(crate) fn systick() -> u32 {
    read(SYSTICK, 0x08)
}

/// Cycles since the watchdog was fed.
pub(crate) fn watchdog_cycles() -> u32 {
    // The flag is looked at twice: the count may have gone round between.
    loop {
        let overdue = read(WATCHDOG, 0x10);
        let left = read(WATCHDOG, 0x04);
        if overdue == read(WATCHDOG, 0x10) {
            return WATCHDOG_CYCLES - left + if overdue & 1 == 1 { WATCHDOG_CYCLES } else { 0 };
        }
    }
}

/// Feeds the watchdog.
pub(crate) fn feed_watchdog() {
    write(WATCHDOG, 0x0C, 1);
}

/// Switches the valves, a bit each.
pub(crate) fn shift_out(open: u64) {
    for byte in open.to_be_bytes() {
        write(SSI0, 0x08, u32::from(byte));
    }
}

/// Sleeps until an interrupt comes, for `us` at most; not at all when `idle` says that there is something to do.
pub(crate) fn sleep(idle: impl FnOnce() -> bool, us: u64) {
    let cycles = us.clamp(1, LONGEST_SLEEP_US) as u32 * CYCLES_A_US;
    write(TIMER0, 0x0C, 0);
    write(TIMER0, 0x24, 1);
    write(TIMER0, 0x28, cycles);
    write(TIMER0, 0x0C, 1);
    // SAFETY: with interrupts masked nothing comes between the question and `wfi`, which an interrupt that waits ends
    // all the same. The handlers touch atomics and registers only.
    unsafe {
        asm!("cpsid i");
        if idle() {
            asm!("wfi");
        }
        asm!("cpsie i");
    }
}

#[unsafe(no_mangle)]
extern "C" fn on_uart0() {
    Port::Bus.on_interrupt(&BUS_IN);
}

#[unsafe(no_mangle)]
extern "C" fn on_uart1() {
    Port::Stand.on_interrupt(&STAND_IN);
}

#[unsafe(no_mangle)]
extern "C" fn on_timer0() {
    write(TIMER0, 0x24, 1);
}

#[unsafe(no_mangle)]
extern "C" fn on_fault() -> ! {
    start_anew(Cause::Panic, 0)
}

#[unsafe(no_mangle)]
extern "C" fn firmware_main() -> ! {
    crate::run()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    start_anew(Cause::Panic, 0)
}

/// Shuts the valves and resets the chip; the new run stays dark for `dark_us` first.
pub(crate) fn start_anew(cause: Cause, dark_us: u32) -> ! {
    // SAFETY: nothing runs after this.
    unsafe { asm!("cpsid i") };
    shift_out(0);
    KEPT_CAUSE.store(cause as u32, Ordering::Relaxed);
    KEPT_DARK_US.store(dark_us, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
    // SAFETY: the barrier only orders what was written before the reset.
    unsafe { asm!("dsb") };
    write(RESET_CONTROL, 0, 0x05FA_0004);
    loop {}
}

/// Bytes of the stack that were never used.
pub(crate) fn stack_left() -> u32 {
    let bottom = &raw const _stack_bottom;
    let top = &raw const _stack_top;
    let mut at = bottom;
    // SAFETY: the linker gives the two ends of the stack, aligned to words; reading words of it disturbs nobody.
    while at < top && unsafe { read_volatile(at) } == STACK_PATTERN {
        // SAFETY: `at` is below `top`.
        at = unsafe { at.add(1) };
    }
    (at as usize - bottom as usize) as u32
}
