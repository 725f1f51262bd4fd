//! The part of the command line about what a line keeps: lots and the audit trail. Cold; parsed once at start.

use std::path::PathBuf;

use super::{AskArgs, LotCloseArgs, LotOpenArgs, LotReportArgs};
use clap::{Args, Subcommand};

/// What to do with lots.
#[derive(Debug, Subcommand)]
pub enum LotCommand {
    /// List the lots, newest first.
    List(AskArgs),
    /// Open a lot.
    Open(LotOpenArgs),
    /// Close a lot.
    Close(LotCloseArgs),
    /// Print a lot's report. Exits with 1 when its sums do not agree.
    Report(LotReportArgs),
    /// Write a lot's records as CSV or Parquet, from the store itself.
    Export(LotExportArgs),
}

/// Form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportForm {
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// Options of `lot export`.
#[derive(Debug, Args)]
pub struct LotExportArgs {
    /// The lot's number in the store.
    #[arg(value_name = "LOT")]
    pub lot: u32,
    /// The line's store.
    #[arg(long, value_name = "FILE")]
    pub store: PathBuf,
    /// Where the records are written, `-` for standard output.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The form [default: parquet for a name that ends in .parquet, else csv].
    #[arg(long, value_name = "FORM")]
    pub form: Option<ExportForm>,
}

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Follow the trail's chain, and show the first broken link.
    Verify(AuditVerifyArgs),
}

/// Options of `audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerifyArgs {
    /// The line's store.
    #[arg(long, value_name = "FILE")]
    pub store: PathBuf,
    /// The trail's end as a lot's report names it: it must still be in the trail.
    #[arg(long, value_name = "NUMBER:HASH")]
    pub head: Option<store::Head>,
    /// Check the file, and count all records again against the sums too; takes a while on a large store.
    #[arg(long)]
    pub records: bool,
    /// Write the verdict as JSON.
    #[arg(long)]
    pub json: bool,
}
