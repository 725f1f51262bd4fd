//! Who may do what: users and their passwords, sessions, and the brake on guessing. Cold.

mod brake;
mod password;
mod sessions;
mod users;

pub(crate) use brake::Brake;
pub(crate) use password::{hash, is_right, random_password, random_token};
pub(crate) use sessions::{Found, Sessions};
pub(crate) use users::{UserError, Users, write_private};
