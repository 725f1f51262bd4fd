//! What a connection has counted. Each count is modulo 2^32 and lives longer than a session: the host watches differences.
//!
//! Any thread, host and board.

/// Counts of one end of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames put on the line, of every kind, repeats included.
    pub frames_sent: u32,
    /// Bytes put on the line.
    pub bytes_sent: u32,
    /// Whole frames that came, of every kind and session.
    pub frames_received: u32,
    /// Bytes that came.
    pub bytes_received: u32,
    /// Messages taken for sending.
    pub messages_sent: u32,
    /// Messages handed over, each once.
    pub messages_received: u32,
    /// Data frames sent again.
    pub repeats: u32,
    /// Time-outs that made a frame go out again.
    pub timeouts: u32,
    /// Demands to repeat that were sent.
    pub naks_sent: u32,
    /// Demands to repeat that came.
    pub naks_received: u32,
    /// Data frames that came again and were dropped.
    pub duplicates: u32,
    /// Data frames that came before a missing one and were dropped: they come again.
    pub early: u32,
    /// Frames refused for their checksum.
    pub crc: u32,
    /// Runs of bytes whose stuffing does not come out.
    pub cobs: u32,
    /// Runs of bytes too short for a frame.
    pub length: u32,
    /// Runs of bytes too long for a frame.
    pub overrun: u32,
    /// Frames of a kind that does not exist, or with a header that the kind can't have.
    pub header: u32,
    /// Frames of another version of the protocol.
    pub version: u32,
    /// The latest other version seen; 0 when none was.
    pub other_version: u8,
    /// Frames of another session.
    pub session: u32,
    /// Frames whose sequence number or acknowledgement lies outside the window.
    pub window: u32,
    /// Whole frames refused for a message that can't be decoded: the other side speaks another tongue.
    pub malformed: u32,
    /// Messages not taken because the window was full.
    pub full: u32,
    /// Messages that were taken and not acknowledged when the session ended: what became of them is not known.
    pub dropped: u32,
}

impl Counters {
    /// All zero.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            frames_sent: 0,
            bytes_sent: 0,
            frames_received: 0,
            bytes_received: 0,
            messages_sent: 0,
            messages_received: 0,
            repeats: 0,
            timeouts: 0,
            naks_sent: 0,
            naks_received: 0,
            duplicates: 0,
            early: 0,
            crc: 0,
            cobs: 0,
            length: 0,
            overrun: 0,
            header: 0,
            version: 0,
            other_version: 0,
            session: 0,
            window: 0,
            malformed: 0,
            full: 0,
            dropped: 0,
        }
    }

    /// Runs of bytes that line noise spoilt, of any sort.
    #[must_use]
    pub const fn damaged(&self) -> u32 {
        self.crc
            .wrapping_add(self.cobs)
            .wrapping_add(self.length)
            .wrapping_add(self.overrun)
    }
}

/// Adds to a count, modulo 2^32.
pub(crate) const fn add(count: &mut u32, more: u32) {
    *count = count.wrapping_add(more);
}
