//! The users' file: names, rights and hashes of passwords, readable by its owner alone, written whole or not at all. Cold.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::{hash, random_password};
use crate::limits::{NAME_CHARACTERS, PASSWORD_LEAST, PASSWORD_MOST, USERS};
use crate::shapes::{Right, UserInfo};

/// Form of the file.
const FORM: u32 = 1;
/// The administrator whom the first start makes.
const FIRST: &str = "admin";

/// Why the users can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserError {
    #[error("{0} can't be read: {1}; restore it from a copy, or remove it to begin with a new administrator")]
    Unreadable(PathBuf, String),
    #[error("{0} can't be written: {1}")]
    Unwritable(PathBuf, std::io::Error),
    #[error("there is no user {0}")]
    Unknown(String),
    #[error("there is a user {0} already")]
    Taken(String),
    #[error("a name has 1 to {NAME_CHARACTERS} letters, digits, '.', '_', '-'")]
    Name,
    #[error("a password has {PASSWORD_LEAST} to {PASSWORD_MOST} characters and is not the name")]
    Password,
    #[error("this is the last administrator")]
    LastAdmin,
    #[error("at most {USERS} users")]
    TooMany,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    name: String,
    right: Right,
    hash: String,
    made_at_ms: u64,
    /// The program made the password.
    initial: bool,
    #[serde(default)]
    last_login_ms: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    form: u32,
    users: Vec<User>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Users {
    path: PathBuf,
    users: Mutex<Vec<User>>,
    /// Fits no password; checked for unknown names, so that the time of an answer does not tell which names there are.
    nobody: String,
}

impl Users {
    /// Reads the users of a folder. Where there are none, an administrator is made; its password is given back, and
    /// nowhere else to be had.
    pub(crate) fn open(folder: &Path, now_ms: u64) -> Result<(Self, Option<String>), UserError> {
        let path = folder.join("users.json");
        let nobody = hash(&random_password());
        let text = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(UserError::Unreadable(path, error.to_string())),
        };
        if let Some(text) = text {
            let file: File =
                serde_json::from_str(&text).map_err(|error| UserError::Unreadable(path.clone(), error.to_string()))?;
            if file.form != FORM {
                let reason = format!("it has form {}, this program knows form {FORM}", file.form);
                return Err(UserError::Unreadable(path, reason));
            }
            let users = Mutex::new(file.users);
            return Ok((Self { path, users, nobody }, None));
        }
        let password = random_password();
        let first = User {
            name: FIRST.to_owned(),
            right: Right::Admin,
            hash: hash(&password),
            made_at_ms: now_ms,
            initial: true,
            last_login_ms: None,
        };
        let users = Self {
            path,
            users: Mutex::new(Vec::new()),
            nobody,
        };
        users.write(vec![first])?;
        Ok((users, Some(password)))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<User>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the file, and only then takes the users as they are in it.
    fn write(&self, users: Vec<User>) -> Result<(), UserError> {
        self.write_locked(&mut self.lock(), users)
    }

    fn write_locked(&self, held: &mut Vec<User>, users: Vec<User>) -> Result<(), UserError> {
        let file = File { form: FORM, users };
        let text = serde_json::to_string_pretty(&file).expect("users can be written as JSON");
        write_private(&self.path, text.as_bytes()).map_err(|error| UserError::Unwritable(self.path.clone(), error))?;
        *held = file.users;
        Ok(())
    }

    /// The hash to hold a password against, and whether there is such a user.
    pub(crate) fn hash_of(&self, name: &str) -> (String, bool) {
        let users = self.lock();
        let user = users.iter().find(|user| user.name == name);
        user.map_or_else(|| (self.nobody.clone(), false), |user| (user.hash.clone(), true))
    }

    /// What a user may do, and whether the program made the password.
    pub(crate) fn right_of(&self, name: &str) -> Option<(Right, bool)> {
        let users = self.lock();
        let user = users.iter().find(|user| user.name == name)?;
        Some((user.right, user.initial))
    }

    /// The users.
    pub(crate) fn list(&self) -> Vec<UserInfo> {
        self.lock().iter().map(info).collect()
    }

    /// Remembers a login. A disk that can't be written keeps nobody out.
    pub(crate) fn logged_in(&self, name: &str, now_ms: u64) -> Result<(), UserError> {
        let mut held = self.lock();
        let mut users = held.clone();
        if let Some(user) = users.iter_mut().find(|user| user.name == name) {
            user.last_login_ms = Some(now_ms);
        }
        self.write_locked(&mut held, users)
    }

    /// Makes a user. Hashes: for workers.
    pub(crate) fn add(&self, name: &str, right: Right, password: &str, now_ms: u64) -> Result<UserInfo, UserError> {
        check_name(name)?;
        check_password(name, password)?;
        let hash = hash(password);
        let mut held = self.lock();
        if held.iter().any(|user| user.name == name) {
            return Err(UserError::Taken(name.to_owned()));
        }
        if held.len() >= USERS {
            return Err(UserError::TooMany);
        }
        let user = User {
            name: name.to_owned(),
            right,
            hash,
            made_at_ms: now_ms,
            initial: false,
            last_login_ms: None,
        };
        let info = info(&user);
        let mut users = held.clone();
        users.push(user);
        self.write_locked(&mut held, users)?;
        Ok(info)
    }

    /// Changes a user; gives it as it was and as it is. Hashes: for workers.
    pub(crate) fn change(
        &self,
        name: &str,
        right: Option<Right>,
        password: Option<&str>,
    ) -> Result<(UserInfo, UserInfo), UserError> {
        if let Some(password) = password {
            check_password(name, password)?;
        }
        let hash = password.map(hash);
        let mut held = self.lock();
        let mut users = held.clone();
        let at = users.iter().position(|user| user.name == name);
        let at = at.ok_or_else(|| UserError::Unknown(name.to_owned()))?;
        let before = info(&users[at]);
        if let Some(right) = right {
            users[at].right = right;
        }
        if let Some(hash) = hash {
            users[at].hash = hash;
            users[at].initial = false;
        }
        check_admins(&users)?;
        let after = info(&users[at]);
        self.write_locked(&mut held, users)?;
        Ok((before, after))
    }

    /// Removes a user; gives it as it was.
    pub(crate) fn remove(&self, name: &str) -> Result<UserInfo, UserError> {
        let mut held = self.lock();
        let mut users = held.clone();
        let at = users.iter().position(|user| user.name == name);
        let removed = users.remove(at.ok_or_else(|| UserError::Unknown(name.to_owned()))?);
        check_admins(&users)?;
        self.write_locked(&mut held, users)?;
        Ok(info(&removed))
    }
}

fn info(user: &User) -> UserInfo {
    UserInfo {
        name: user.name.clone(),
        right: user.right,
        made_at_ms: user.made_at_ms,
        last_login_ms: user.last_login_ms,
        password_is_initial: user.initial,
    }
}

fn check_name(name: &str) -> Result<(), UserError> {
    let fits = (1..=NAME_CHARACTERS).contains(&name.chars().count());
    let plain = name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    if fits && plain { Ok(()) } else { Err(UserError::Name) }
}

fn check_password(name: &str, password: &str) -> Result<(), UserError> {
    let fits = (PASSWORD_LEAST..=PASSWORD_MOST).contains(&password.chars().count());
    if fits && password != name {
        Ok(())
    } else {
        Err(UserError::Password)
    }
}

fn check_admins(users: &[User]) -> Result<(), UserError> {
    let some = users.iter().any(|user| user.right == Right::Admin);
    if some { Ok(()) } else { Err(UserError::LastAdmin) }
}

/// Writes a file that its owner alone may read: whole or not at all, also when the power goes.
///
/// # Errors
/// When the folder or the file can't be made or written.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::is_right;
    use super::*;

    /// A folder of this test's own, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("pearlsort-users-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_first_start_makes_one_administrator_and_tells_the_password_once() {
        let folder = Folder::new("first");
        let (users, password) = Users::open(&folder.0, 1).expect("the folder can be written");
        let password = password.expect("a password at the first start");
        let (hash, there) = users.hash_of("admin");
        assert!(there && is_right(&password, &hash));
        assert_eq!(users.right_of("admin"), Some((Right::Admin, true)));
        let mode = fs::metadata(folder.0.join("users.json"))
            .expect("the file is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = fs::read_to_string(folder.0.join("users.json")).expect("the file can be read");
        assert!(!text.contains(&password), "the password itself is nowhere");
        let (again, none) = Users::open(&folder.0, 2).expect("the file can be read");
        assert_eq!(none, None);
        assert_eq!(again.list(), users.list());
    }

    #[test]
    fn the_last_administrator_stays_one() {
        let folder = Folder::new("last");
        let (users, _) = Users::open(&folder.0, 1).expect("the folder can be written");
        assert!(matches!(users.remove("admin"), Err(UserError::LastAdmin)));
        let demoted = users.change("admin", Some(Right::View), None);
        assert!(matches!(demoted, Err(UserError::LastAdmin)));
        users.add("王", Right::Admin, "long enough 1", 2).expect("a second one");
        users.remove("admin").expect("no longer the last");
        let (again, _) = Users::open(&folder.0, 3).expect("the file can be read");
        assert_eq!(again.list().len(), 1);
    }

    #[test]
    fn names_and_passwords_outside_their_bounds_are_refused() {
        let folder = Folder::new("bounds");
        let (users, _) = Users::open(&folder.0, 1).expect("the folder can be written");
        for name in ["", "a b", "<script>", "../x", &"a".repeat(33)] {
            let made = users.add(name, Right::View, "long enough 1", 2);
            assert!(matches!(made, Err(UserError::Name)), "{name}");
        }
        for password in ["short", &"x".repeat(129), "li.operator"] {
            let made = users.add("li.operator", Right::View, password, 2);
            assert!(matches!(made, Err(UserError::Password)), "{password}");
        }
        let again = users.add("admin", Right::View, "long enough 1", 2);
        assert!(matches!(again, Err(UserError::Taken(_))));
    }

    #[test]
    fn a_file_that_can_not_be_read_starts_nothing_and_is_left_alone() {
        let folder = Folder::new("torn");
        fs::create_dir_all(&folder.0).expect("a folder");
        for text in ["{\"form\":1,\"users\":[{\"na", "{\"form\":2,\"users\":[]}", ""] {
            fs::write(folder.0.join("users.json"), text).expect("a file");
            assert!(
                matches!(Users::open(&folder.0, 1), Err(UserError::Unreadable(..))),
                "{text}"
            );
            assert_eq!(
                fs::read_to_string(folder.0.join("users.json")).expect("still there"),
                text
            );
        }
    }
}
