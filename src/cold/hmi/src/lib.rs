//! The operator's page and its API: what goes over the wire, and what the program must give for it.
//!
//! Cold: threads of its own, none of which the hot thread waits for.

#![forbid(unsafe_code)]

pub mod machine;
pub mod shapes;
