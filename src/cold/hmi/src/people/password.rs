//! Passwords and tokens: made from the system's random numbers, kept as argon2id hashes. Cold; hashing takes tens of
//! milliseconds and is done by a worker.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

/// Letters and digits that nobody confuses on paper.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Groups of four in a password that the program makes: 80 bits.
const GROUPS: usize = 4;

/// Argon2id with 19 MiB, two passes and one lane, as OWASP's password storage cheat sheet has it.
fn argon() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("the constants are within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes
}

/// The hash of a password, in the usual form `$argon2id$...`.
pub(crate) fn hash(password: &str) -> String {
    let salt = SaltString::encode_b64(&random::<16>()).expect("16 bytes are a salt");
    argon()
        .hash_password(password.as_bytes(), &salt)
        .expect("a password within its limit can be hashed")
        .to_string()
}

/// Whether a password is that of a hash. A hash that can't be read fits none.
pub(crate) fn is_right(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| argon().verify_password(password.as_bytes(), &hash).is_ok())
}

/// 256 random bits, in hexadecimal.
pub(crate) fn random_token() -> String {
    random::<32>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A password that can be read from a screen and typed.
pub(crate) fn random_password() -> String {
    let letters = random::<{ GROUPS * 4 }>();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| {
            group
                .iter()
                .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
                .collect()
        })
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_alone_and_is_argon2id() {
        let made = hash("correct horse 珍珠");
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        assert!(is_right("correct horse 珍珠", &made));
        assert!(!is_right("correct horse 珍珠 ", &made));
        assert!(!is_right("", "not a hash"));
        assert_ne!(made, hash("correct horse 珍珠"), "each hash has a salt of its own");
    }

    #[test]
    fn tokens_and_passwords_do_not_repeat() {
        assert_eq!(random_token().len(), 64);
        assert_ne!(random_token(), random_token());
        assert_eq!(random_password().len(), 19);
        assert_ne!(random_password(), random_password());
    }
}
