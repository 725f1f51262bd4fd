//! Modbus RTU, the host's side of functions 3, 6 and 16. Cold; blocks.
//!
//! Sources: Modbus application protocol 1.1b3, Modbus over serial line 1.02. An RTU answer has no number, so a late one
//! could be taken for the next: after a failure the line has to be silent for a time-out before anything is asked again.

use std::time::Duration;

use crate::Refusal;
use crate::limits::REGISTERS;
use crate::port::Port;

/// CRC-16 of Modbus: polynomial 0xA001 reflected, starting from all ones; sent low byte first.
#[must_use]
pub fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0xFFFF_u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 };
        }
    }
    crc
}

const READ_HOLDING: u8 = 3;
const WRITE_ONE: u8 = 6;
const WRITE_MANY: u8 = 16;
/// Set in the function of an exception.
const EXCEPTION: u8 = 0x80;

/// A device on a line of its own.
#[derive(Debug)]
pub(crate) struct Modbus {
    port: Port,
    address: u8,
    quiet: Duration,
    failed: bool,
}

impl Modbus {
    pub(crate) const fn new(port: Port, address: u8, quiet: Duration) -> Self {
        Self {
            port,
            address,
            quiet,
            failed: false,
        }
    }

    /// Reads `count` holding registers from `first`, which counts from 0.
    pub(crate) fn read(&mut self, first: u16, count: u16) -> Result<Vec<u16>, Refusal> {
        assert!((1..=REGISTERS).contains(&count), "checked with the file");
        let mut request = vec![self.address, READ_HOLDING];
        request.extend_from_slice(&first.to_be_bytes());
        request.extend_from_slice(&count.to_be_bytes());
        let answer = self.exchange(request, 3 + 2 * usize::from(count))?;
        if usize::from(answer[2]) != 2 * usize::from(count) {
            return Err(self.fail(Refusal::garbled("an answer of another length", &answer)));
        }
        let (words, _) = answer[3..].as_chunks::<2>();
        Ok(words.iter().map(|word| u16::from_be_bytes(*word)).collect())
    }

    /// Writes holding registers from `first`: one by function 6, more by function 16.
    pub(crate) fn write(&mut self, first: u16, values: &[u16]) -> Result<(), Refusal> {
        let mut request = vec![self.address];
        if let [value] = values {
            request.push(WRITE_ONE);
            request.extend_from_slice(&first.to_be_bytes());
            request.extend_from_slice(&value.to_be_bytes());
        } else {
            let count = u16::try_from(values.len()).unwrap_or(u16::MAX);
            assert!((1..=REGISTERS).contains(&count), "checked with the file");
            request.push(WRITE_MANY);
            request.extend_from_slice(&first.to_be_bytes());
            request.extend_from_slice(&count.to_be_bytes());
            #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
            request.push(2 * count as u8);
            request.extend(values.iter().flat_map(|value| value.to_be_bytes()));
        }
        // function 6 echoes the value, function 16 the count: both answer with the request's first six bytes
        let expected = request[..6].to_vec();
        let answer = self.exchange(request, 6)?;
        if answer != expected {
            return Err(self.fail(Refusal::garbled("an answer to another request", &answer)));
        }
        Ok(())
    }

    fn fail(&mut self, refusal: Refusal) -> Refusal {
        self.failed = true;
        refusal
    }

    /// Sends a request and gives the answer of `length` bytes without its CRC.
    fn exchange(&mut self, mut request: Vec<u8>, length: usize) -> Result<Vec<u8>, Refusal> {
        if self.failed {
            self.port.wait_for_silence(self.quiet)?;
            self.failed = false;
        }
        let function = request[1];
        let crc = crc16(&request);
        request.extend_from_slice(&crc.to_le_bytes());
        self.port.discard()?;
        self.port.write(&request)?;
        self.answer(function, length).map_err(|refusal| match refusal {
            // a decline is an answer: nothing is on its way any more
            Refusal::Declined(_) => refusal,
            other => self.fail(other),
        })
    }

    fn answer(&mut self, function: u8, length: usize) -> Result<Vec<u8>, Refusal> {
        let deadline = self.port.deadline();
        // the shortest answer is an exception: address, function, code, CRC
        let mut answer = self.port.read_exact(5, deadline)?;
        let is_exception = answer[1] == function | EXCEPTION;
        if !is_exception {
            answer.extend(self.port.read_exact(length + 2 - 5, deadline)?);
        }
        let (body, crc) = answer.split_at(answer.len() - 2);
        if crc16(body).to_le_bytes() != crc {
            return Err(Refusal::garbled("a frame with a wrong checksum", &answer));
        }
        if body[0] != self.address {
            return Err(Refusal::garbled("an answer of another device", &answer));
        }
        if is_exception {
            return Err(exception(body[2]));
        }
        if body[1] != function {
            return Err(Refusal::garbled("an answer to another function", &answer));
        }
        Ok(body.to_vec())
    }
}

fn exception(code: u8) -> Refusal {
    let words = match code {
        1 => "it does not know the function",
        2 => "it has no such register: check that the file fits this instrument",
        3 => "it can't take the value",
        4 | 8 => return Refusal::Faulty(format!("Modbus exception {code}")),
        5 | 6 => "it is busy; repeat",
        _ => "it gives an exception that is not in the standard",
    };
    Refusal::Declined(format!("Modbus exception {code}, {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc16(&[0x01, 0x03, 0x00, 0x00, 0x00, 0x02]).to_le_bytes(), [0xC4, 0x0B]);
        assert_eq!(crc16(b"123456789"), 0x4B37);
    }
}
