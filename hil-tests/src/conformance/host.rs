//! The suite's end of the link: it numbers, acknowledges and repeats by hand, so that it can also do it wrong.
//!
//! Cold, one thread. It keeps all that it hears until a check has looked at it. While it is told to, it feeds the board
//! by itself; acknowledgements go out at once unless it is told to be deaf.

use stand::{FromStand, Piece, ToStand};
use units::{Tick32, ValveId};
use wire::settings::{at_start, canonical, settings_crc};
use wire::{
    Decoder, ENCODED_MAX, FrameWriter, FromBoard, Header, Hello, Identity, Kind, Messages, PROTOCOL, Setting,
    SettingKey, Status, ToBoard,
};

use super::{Abilities, Subject};

/// Time between two feeds while the host feeds by itself, us.
const FEED_US: u64 = 20_000;
/// An answer comes within this and the subject's slack, us.
pub(super) const ANSWER_US: u64 = 50_000;
/// A board that was called answers within this and the subject's slack, us: it may be starting.
const CALL_US: u64 = 1_000_000;
/// The belt's speed in checks, ticks a second.
pub(super) const SPEED: i32 = 20_000;
/// Speed is known to the board after the belt has run so long, us.
const SETTLE_US: u64 = 120_000;

/// Why a check ended without having held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The board did what it must not, or did not what it must.
    Failed(String),
    /// It can't be found out with this subject.
    NotHere(String),
    /// The subject is out of reach.
    Error(String),
}

/// Fails the check with the reason unless the condition holds.
pub(super) fn must(holds: bool, why: impl FnOnce() -> String) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(Stop::Failed(why())) }
}

/// A frame that the board has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it came, us.
    pub at_us: u64,
    /// Its header.
    pub header: Header,
    /// Its messages, coded.
    pub body: Vec<u8>,
}

/// Where an open valve was switched, as the stand tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switched {
    /// Which.
    pub valve: ValveId,
    /// Whether it is open now.
    pub open: bool,
    /// Board time, us.
    pub us: u64,
    /// Encoder.
    pub tick: Tick32,
}

/// See the module.
pub struct Host<'s> {
    subject: &'s mut dyn Subject,
    decoder: Decoder,
    /// The present session.
    pub session: u16,
    /// Number of the next data frame.
    pub seq: u8,
    /// Number expected of the board.
    pub expected: u8,
    /// Whether data frames are acknowledged.
    pub acknowledges: bool,
    /// Whether the board is fed.
    pub feeds: bool,
    /// Count of the latest feed.
    pub fed: u16,
    /// When it went out, us.
    pub fed_us: u64,
    /// Messages heard, with their times, us; `Status` and `Identity` apart.
    pub heard: Vec<(u64, FromBoard<'static>)>,
    /// Each `Status` with the time when it came, us.
    pub statuses: Vec<(u64, Status)>,
    /// Sample runs: cell, first number, samples.
    pub samples: Vec<(u8, u32, usize)>,
    /// Each `Identity`.
    pub identities: Vec<(u64, Identity)>,
    /// All frames of the board, whatever their session.
    pub frames: Vec<Seen>,
    /// What the stand has told.
    pub told: Vec<FromStand>,
    /// The board, as it said it is.
    pub identity: Identity,
    settings: Vec<Setting>,
    token: u32,
}

impl<'s> Host<'s> {
    /// A host of a board that it does not know yet.
    pub fn new(subject: &'s mut dyn Subject) -> Self {
        let nobody = Identity {
            protocol: 0,
            uid: 0,
            firmware: 0,
            limits: board::Description::standard(0).limits,
            settings_crc: 0,
            starts: 0,
        };
        let session = u16::try_from(subject.now_us() % 30_000).unwrap_or(0) + 1;
        Self {
            subject,
            decoder: Decoder::new(),
            session,
            seq: 0,
            expected: 0,
            acknowledges: true,
            feeds: false,
            fed: 0,
            fed_us: 0,
            heard: Vec::new(),
            statuses: Vec::new(),
            samples: Vec::new(),
            identities: Vec::new(),
            frames: Vec::new(),
            told: Vec::new(),
            identity: nobody,
            settings: Vec::new(),
            token: 0,
        }
    }

    /// What the subject has.
    pub fn abilities(&self) -> Abilities {
        self.subject.abilities()
    }

    /// How late things may be here, us.
    pub fn slack_us(&self) -> u64 {
        self.abilities().slack_us
    }

    /// How far apart a board's doing and its word of it to the stand may be, us.
    pub fn telling_us(&self) -> u64 {
        100 + self.slack_us() / 20
    }

    /// The slack in ticks of a belt at [`SPEED`].
    pub fn slack_ticks(&self) -> i32 {
        i32::try_from(self.slack_us()).unwrap_or(i32::MAX) / (1_000_000 / SPEED) + 1
    }

    /// The time, us.
    pub fn now_us(&self) -> u64 {
        self.subject.now_us()
    }

    /// Before each check: a new session, the belt stands, nothing heard.
    pub fn begin(&mut self) -> Result<(), Stop> {
        (self.acknowledges, self.feeds) = (true, false);
        self.connect()?;
        if self.abilities().stand {
            self.belt(0)?;
            self.run(2_000)?;
        }
        self.forget();
        Ok(())
    }

    /// Forgets what was heard.
    pub fn forget(&mut self) {
        self.heard.clear();
        self.statuses.clear();
        self.samples.clear();
        self.identities.clear();
        self.frames.clear();
        self.told.clear();
    }

    // ------------------------------------------------------------------------------------------------- the link

    /// Begins a new session and waits for the board's answer.
    pub fn connect(&mut self) -> Result<Identity, Stop> {
        self.session = if self.session == u16::MAX { 1 } else { self.session + 1 };
        (self.seq, self.expected, self.fed) = (0, 0, 0);
        let began_us = self.now_us();
        self.identities.clear();
        loop {
            self.hello(PROTOCOL)?;
            self.until(ANSWER_US, |host| !host.identities.is_empty())?;
            if let Some((_, identity)) = self.identities.last() {
                self.identity = *identity;
                let all = canonical(&identity.limits).map(|(key, index)| Setting {
                    key,
                    index,
                    value: at_start(key),
                });
                self.settings = all.collect();
                return Ok(self.identity);
            }
            if self.now_us() > began_us + CALL_US + self.slack_us() {
                return Err(Stop::Error("the board does not answer".to_owned()));
            }
        }
    }

    /// Calls the board in the present session, in a frame of the version given.
    pub fn hello(&mut self, version: u8) -> Result<(), Stop> {
        let hello = ToBoard::Hello(Hello {
            protocol: version,
            session: self.session,
        });
        let mut frame = FrameWriter::new(Header {
            version,
            ..self.header(Kind::Connect)
        });
        must(frame.push(&hello).is_ok(), || "a greeting has no coding".to_owned())?;
        let mut out = [0; ENCODED_MAX];
        let len = frame.finish(&mut out);
        self.raw(&[0])?;
        self.raw(&out[..len])
    }

    /// The header of the next frame of a kind.
    pub fn header(&self, kind: Kind) -> Header {
        let connect = kind == Kind::Connect;
        Header {
            version: PROTOCOL,
            kind,
            session: self.session,
            seq: if connect { 0 } else { self.seq },
            ack: if connect { 0 } else { self.expected },
        }
    }

    /// The bytes of a frame on the line.
    pub fn frame(header: Header, messages: &[ToBoard]) -> Vec<u8> {
        let mut frame = FrameWriter::new(header);
        for message in messages {
            assert!(frame.push(message).is_ok(), "a frame's messages fit it");
        }
        let mut out = [0; ENCODED_MAX];
        let len = frame.finish(&mut out);
        out[..len].to_vec()
    }

    /// Sends messages in the next data frame and gives its bytes.
    pub fn send(&mut self, messages: &[ToBoard]) -> Result<Vec<u8>, Stop> {
        let bytes = Self::frame(self.header(Kind::Data), messages);
        self.seq = self.seq.wrapping_add(1);
        self.raw(&bytes)?;
        Ok(bytes)
    }

    /// Sends a frame without messages.
    pub fn bare(&mut self, kind: Kind) -> Result<(), Stop> {
        let bytes = Self::frame(self.header(kind), &[]);
        self.raw(&bytes)
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.subject.send(bytes)
    }

    /// Feeds the board once.
    pub fn feed(&mut self) -> Result<(), Stop> {
        self.fed = self.fed.wrapping_add(1);
        self.fed_us = self.now_us();
        self.send(&[ToBoard::Feed { count: self.fed }]).map(drop)
    }

    // ----------------------------------------------------------------------------------------------- time passes

    /// Lets time pass.
    pub fn run(&mut self, us: u64) -> Result<(), Stop> {
        self.until(us, |_| false).map(drop)
    }

    /// Lets time pass until something is so, for `us` and the slack at most; says whether it came to be.
    pub fn until(&mut self, us: u64, is_so: impl Fn(&Self) -> bool) -> Result<bool, Stop> {
        let end_us = self.now_us() + us;
        loop {
            if is_so(self) {
                return Ok(true);
            }
            let now_us = self.now_us();
            if now_us >= end_us {
                return Ok(false);
            }
            let mut until_us = end_us;
            if self.feeds {
                if now_us >= self.fed_us + FEED_US {
                    self.feed()?;
                }
                until_us = until_us.min(self.fed_us + FEED_US);
            }
            self.receive(until_us)?;
        }
    }

    fn receive(&mut self, until_us: u64) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        self.subject.receive(until_us, &mut bytes, &mut self.told)?;
        let at_us = self.now_us();
        let mut input = &bytes[..];
        let mut owes = false;
        let mut decoder = core::mem::take(&mut self.decoder);
        while let Some(frame) = decoder.next(&mut input) {
            let Ok(frame) = frame else {
                return Err(Stop::Failed(format!("the board has sent what is no frame: {frame:?}")));
            };
            self.frames.push(Seen {
                at_us,
                header: frame.header,
                body: frame.body.to_vec(),
            });
            if frame.header.session == self.session {
                owes |= self.hear(at_us, frame.header, frame.body)?;
            }
        }
        self.decoder = decoder;
        if owes && self.acknowledges {
            self.bare(Kind::Ack)?;
        }
        Ok(())
    }

    /// Takes a frame of the session; says whether it wants an acknowledgement.
    fn hear(&mut self, at_us: u64, header: Header, body: &[u8]) -> Result<bool, Stop> {
        match header.kind {
            Kind::Connect => match Messages::<wire::Host>::connect(body) {
                Ok(FromBoard::Identity(identity)) => self.identities.push((at_us, identity)),
                other => return Err(Stop::Failed(format!("a connect frame with {other:?}"))),
            },
            Kind::Data if header.seq == self.expected && self.acknowledges => {
                self.expected = self.expected.wrapping_add(1);
                for message in Messages::<wire::Host>::numbered(body) {
                    match message {
                        Ok(message) => self.take(at_us, message),
                        Err(error) => return Err(Stop::Failed(format!("a message that has no coding: {error:?}"))),
                    }
                }
                return Ok(true);
            }
            Kind::Data => return Ok(true),
            Kind::Ack | Kind::Nak => {}
        }
        Ok(false)
    }

    fn take(&mut self, at_us: u64, message: FromBoard<'_>) {
        match message {
            FromBoard::Status(status) => self.statuses.push((at_us, status)),
            FromBoard::Samples(samples) => self.samples.push((samples.cell, samples.first, samples.data.len() / 3)),
            _ => self.heard.extend(message.detached().map(|message| (at_us, message))),
        }
    }

    // ----------------------------------------------------------------------------------------------- what is heard

    /// Waits for a message and takes it out of what was heard.
    pub fn expect(
        &mut self,
        what: &str,
        within_us: u64,
        is_it: impl Fn(&FromBoard<'static>) -> bool,
    ) -> Result<(u64, FromBoard<'static>), Stop> {
        let within_us = within_us + self.slack_us();
        let came = self.until(within_us, |host| host.heard.iter().any(|(_, message)| is_it(message)))?;
        let place = self.heard.iter().position(|(_, message)| is_it(message));
        match place {
            Some(place) if came => Ok(self.heard.remove(place)),
            _ => Err(Stop::Failed(format!(
                "no {what} within {} ms; heard: {}",
                within_us / 1_000,
                self.summary()
            ))),
        }
    }

    /// Waits for exactly this message.
    pub fn expect_message(&mut self, message: FromBoard<'static>) -> Result<u64, Stop> {
        let what = format!("{message:?}");
        self.expect(&what, ANSWER_US, |heard| *heard == message)
            .map(|(at_us, _)| at_us)
    }

    /// Fails when a message was heard that must not be.
    pub fn never(&self, why: &str, is_it: impl Fn(&FromBoard<'static>) -> bool) -> Result<(), Stop> {
        let heard = self.heard.iter().find(|(_, message)| is_it(message));
        must(heard.is_none(), || format!("{why}: {heard:?}"))
    }

    fn summary(&self) -> String {
        let shown: Vec<String> = self.heard.iter().rev().take(5).map(|(_, m)| format!("{m:?}")).collect();
        if shown.is_empty() {
            "nothing".to_owned()
        } else {
            shown.join(", ")
        }
    }

    /// The next `Status` that comes.
    pub fn status(&mut self) -> Result<Status, Stop> {
        let before = self.statuses.len();
        let came = self.until(ANSWER_US + self.slack_us(), |host| host.statuses.len() > before)?;
        must(came, || "no Status".to_owned())?;
        Ok(self.statuses[self.statuses.len() - 1].1)
    }

    // ------------------------------------------------------------------------------------------- settings, arming

    /// Remembers a setting that the board shall have: [`Self::commit`] sends all that differ from those at start.
    pub fn set(&mut self, key: SettingKey, index: u8, value: u32) {
        for setting in &mut self.settings {
            if setting.key == key && setting.index == index {
                setting.value = value;
            }
        }
    }

    /// The checksum of the settings that the board shall have.
    pub fn crc(&self) -> u32 {
        settings_crc(self.settings.iter().copied())
    }

    /// Sends every setting, puts them in force, and holds the board's checksum against ours.
    pub fn commit(&mut self) -> Result<(), Stop> {
        let all: Vec<ToBoard> = self.settings.iter().copied().map(ToBoard::Set).collect();
        // A window of frames at a time.
        for frame in all.chunks(30) {
            self.send(frame)?;
            self.acknowledged()?;
        }
        self.send(&[ToBoard::Commit])?;
        let settings_crc = self.crc();
        self.expect_message(FromBoard::Settings { settings_crc }).map(drop)
    }

    /// Waits until the board has acknowledged all that was sent.
    pub fn acknowledged(&mut self) -> Result<(), Stop> {
        let came = self.until(ANSWER_US + self.slack_us(), |host| {
            let last = host
                .frames
                .iter()
                .rev()
                .find(|seen| seen.header.session == host.session && seen.header.kind != Kind::Connect);
            last.is_some_and(|seen| seen.header.ack == host.seq)
        })?;
        must(came, || format!("frames before {} are not acknowledged", self.seq))
    }

    /// Arms, and feeds from now on.
    pub fn arm(&mut self) -> Result<(), Stop> {
        let settings_crc = self.crc();
        self.send(&[ToBoard::Arm { settings_crc }])?;
        self.feed()?;
        self.feeds = true;
        self.expect_message(FromBoard::Armed).map(drop)
    }

    /// Settings for most checks: up to 100 ms of air on each valve, 2 ms of least off-time, 2,000 ticks/s of least speed,
    /// a `Status` each 2 ms.
    pub fn usual_settings(&mut self) {
        let limits = self.identity.limits;
        for valve in 0..limits.valves {
            self.set(SettingKey::MaxOnUs, valve, limits.max_on_us.min(100_000));
            self.set(SettingKey::MinOffUs, valve, 2_000);
        }
        self.set(SettingKey::LeastSpeed, 0, 2_000);
        self.set(SettingKey::StatusUs, 0, 2_000);
    }

    /// Usual settings in force, armed, fed.
    pub fn ready(&mut self) -> Result<(), Stop> {
        self.usual_settings();
        self.commit()?;
        self.arm()
    }

    /// As [`Self::ready`], with a watchdog that bears this computer's pauses: for checks of something else.
    pub fn patient(&mut self) -> Result<(), Stop> {
        self.usual_settings();
        self.set(SettingKey::WatchdogUs, 0, 1_000_000);
        self.commit()?;
        self.arm()
    }

    // ------------------------------------------------------------------------------------------------- the stand

    /// Says something to the stand.
    pub fn stand(&mut self, message: &ToStand<'_>) -> Result<(), Stop> {
        self.subject.stand(message)
    }

    /// The board's clock, us, and encoder.
    pub fn ping(&mut self) -> Result<(u64, Tick32), Stop> {
        self.token += 1;
        let token = self.token;
        self.stand(&ToStand::Ping { token })?;
        let answers = |told: &FromStand| matches!(told, FromStand::Pong { token: t, .. } if *t == token);
        self.until(CALL_US, |host| host.told.iter().any(answers))?;
        match self.told.iter().find(|told| answers(told)) {
            Some(FromStand::Pong { us, tick, .. }) => Ok((*us, *tick)),
            _ => Err(Stop::Error("the stand does not answer".to_owned())),
        }
    }

    /// Lets the belt run from where it is, at so many ticks a second.
    pub fn belt(&mut self, speed: i32) -> Result<(), Stop> {
        let (us, count) = self.ping()?;
        self.belt_from(us, count, speed)
    }

    /// Lets the encoder count from `count` on, at so many ticks a second.
    pub fn belt_from(&mut self, us: u64, count: Tick32, speed: i32) -> Result<(), Stop> {
        let from_us = u32::try_from(us & 0xFFFF_FFFF).unwrap_or(0);
        let rate = speed * 1_000;
        self.stand(&ToStand::Shaft(Piece {
            from_us,
            count,
            nano: 0,
            rate,
        }))
    }

    /// [`Self::patient`], and the belt runs at [`SPEED`] for long enough that the board knows it.
    pub fn running(&mut self) -> Result<(), Stop> {
        self.patient()?;
        self.belt(SPEED)?;
        self.run(SETTLE_US)
    }

    /// Waits for a valve to be switched, as the stand tells it.
    pub fn switched(&mut self, valve: ValveId, open: bool, within_us: u64) -> Result<Switched, Stop> {
        let found = |host: &Self| {
            host.told.iter().find_map(|told| match *told {
                FromStand::Valve {
                    valve: v,
                    open: o,
                    us,
                    tick,
                } if v == valve && o == open => Some(Switched { valve, open, us, tick }),
                _ => None,
            })
        };
        self.until(within_us + self.slack_us(), |host| found(host).is_some())?;
        let word = if open { "opened" } else { "closed" };
        found(self).ok_or_else(|| Stop::Failed(format!("valve {} was not {word}", valve.0)))
    }

    /// Waits until the stand has told something: it may come after the board's own word over the bus.
    pub fn told(&mut self, why: &str, is_so: impl Fn(&[FromStand]) -> bool) -> Result<(), Stop> {
        let came = self.until(ANSWER_US + self.slack_us(), |host| is_so(&host.told))?;
        must(came, || why.to_owned())
    }

    /// Times that a valve was opened.
    pub fn openings(&self, valve: ValveId) -> usize {
        let opens = |told: &&FromStand| matches!(told, FromStand::Valve { valve: v, open: true, .. } if *v == valve);
        self.told.iter().filter(opens).count()
    }
}
