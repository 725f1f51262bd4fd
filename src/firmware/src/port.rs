//! A serial port's way out: bytes that wait until the port has room. Full means drop and count.

use crate::hardware::Port;

/// Room for `N` bytes.
pub(crate) struct Out<const N: usize> {
    port: Port,
    bytes: [u8; N],
    first: usize,
    len: usize,
}

impl<const N: usize> Out<N> {
    pub(crate) const fn new(port: Port) -> Self {
        Self {
            port,
            bytes: [0; N],
            first: 0,
            len: 0,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The buffer, for as many bytes as `fill` writes: only while it is empty.
    pub(crate) fn fill(&mut self, fill: impl FnOnce(&mut [u8]) -> usize) {
        if self.len == 0 {
            self.first = 0;
            self.len = fill(&mut self.bytes).min(N);
        }
    }

    /// Adds bytes, all or none; says whether there was room.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = self.len + bytes.len() <= N;
        if fits {
            for byte in bytes {
                self.bytes[(self.first + self.len) % N] = *byte;
                self.len += 1;
            }
        }
        fits
    }

    /// Hands over what the port takes now; the port wakes the main loop when it takes more.
    pub(crate) fn pump(&mut self) {
        while self.len > 0 {
            if !self.port.send(self.bytes[self.first]) {
                self.port.wake_when_room();
                return;
            }
            self.first = (self.first + 1) % N;
            self.len -= 1;
        }
    }
}
