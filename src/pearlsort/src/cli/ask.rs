//! Options of the commands that ask a running line: `status`, `lot`, `alarm`. Cold; parsed once at start.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// How a running line is asked.
#[derive(Debug, Args, Clone)]
#[command(
    after_help = "Looking needs no login on this computer. Acting needs the token that the program writes to its folder of \
                  data\nat each start (--data or --token), or a user (--user), whose password is read from \
                  PEARLSORT_PASSWORD or,\nwithout it, from standard input."
)]
pub struct AskArgs {
    /// Address of the operators' page.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8440")]
    pub page: SocketAddr,
    /// The running program's folder of data.
    #[arg(long, value_name = "DIR", default_value = "pearlsort-data")]
    pub data: PathBuf,
    /// The token's file [default: `token` in the folder of data].
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    pub token: Option<PathBuf>,
    /// Log in as this user, in place of the token.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Print what the line answers as JSON.
    #[arg(long)]
    pub json: bool,
    /// Language [default: that of LC_ALL, LC_MESSAGES or LANG].
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Option<Lang>,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// Options of `lot open`.
#[derive(Debug, Args)]
pub struct LotOpenArgs {
    /// How the line is asked.
    #[command(flatten)]
    pub ask: AskArgs,
    /// The lot's number on paper.
    #[arg(value_name = "NUMBER")]
    pub number: String,
    /// The farm.
    #[arg(long)]
    pub farm: String,
    /// Day of the harvest, such as 2026-11-24.
    #[arg(long, value_name = "DAY", default_value = "")]
    pub harvest_date: String,
    /// The customer.
    #[arg(long, default_value = "")]
    pub customer: String,
    /// Mass handed in, g.
    #[arg(long, value_name = "G")]
    pub mass_g: Option<f64>,
    /// Pearls handed in.
    #[arg(long, value_name = "PEARLS")]
    pub count: Option<u64>,
}

/// Options of `lot close`.
#[derive(Debug, Args)]
pub struct LotCloseArgs {
    /// How the line is asked.
    #[command(flatten)]
    pub ask: AskArgs,
    /// The lot's number in the store [default: the open one].
    #[arg(value_name = "LOT")]
    pub lot: Option<u64>,
}

/// Options of `lot report`.
#[derive(Debug, Args)]
pub struct LotReportArgs {
    /// How the line is asked.
    #[command(flatten)]
    pub ask: AskArgs,
    /// The lot's number in the store.
    #[arg(value_name = "LOT")]
    pub lot: u64,
}

/// What to do with alarms.
#[derive(Debug, Subcommand)]
pub enum AlarmCommand {
    /// List the alarms that are not normal. Exits with 1 when any is unacknowledged.
    List(AskArgs),
    /// Acknowledge an alarm.
    Ack(AlarmArgs),
    /// Put an alarm aside for a time.
    Shelve(AlarmShelveArgs),
    /// Take an alarm from the shelf.
    Unshelve(AlarmArgs),
}

/// Options of `alarm ack` and `alarm unshelve`.
#[derive(Debug, Args)]
pub struct AlarmArgs {
    /// How the line is asked.
    #[command(flatten)]
    pub ask: AskArgs,
    /// The alarm, as `alarm list` names it.
    #[arg(value_name = "ALARM")]
    pub alarm: String,
}

/// Options of `alarm shelve`.
#[derive(Debug, Args)]
pub struct AlarmShelveArgs {
    /// Which alarm.
    #[command(flatten)]
    pub alarm: AlarmArgs,
    /// For so long.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub minutes: u32,
    /// Why.
    #[arg(long)]
    pub reason: String,
}
