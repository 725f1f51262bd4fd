//! What operators have beside the demo's line: a desk, a store for the lot that the demo opens, and the page. Cold.

use std::path::{Path, PathBuf};

use anyhow::Result;
use operate::{Setup, Text, Use};
use sim::demo::Machine;
use store::LotForm;
use tracing::warn;

use crate::cli::DemoArgs;
use crate::operator::{self, Attendant, Book, Desk, Fixed, Goal, Keeping, Kept};
use crate::virtual_machine::um_s;

/// Share of high grades that the demo aims at: the park's.
const AIM: f64 = 0.25;
/// What the virtual line's recipe puts into its bins.
const GRADES: [(&str, &str); 6] = [
    (
        "优珠：大、正圆、极强光",
        "high grade: large, perfect round, very lustrous",
    ),
    ("优珠：正圆、极强光", "high grade: perfect round, very lustrous"),
    ("优珠：大、圆、强光", "high grade: large, round, lustrous"),
    ("圆、强光", "round, lustrous"),
    ("近圆", "near round"),
    ("其他形状", "other shapes"),
];
/// Who opens and closes the demo's lot.
const WHO: &str = "demo";

/// See the module.
pub(super) struct Side {
    kept: Option<Kept>,
    page: Option<hmi::Server>,
    /// A folder that goes with the demo.
    passing: Option<PathBuf>,
}

impl Side {
    /// Closes the lot, then the page and the store.
    pub(super) fn end(self, attendant: &Attendant) {
        if self.kept.is_some() {
            attendant.desk().close_lot(WHO);
        }
        drop(self.page);
        if let Some(kept) = self.kept {
            kept.end();
        }
        if let Some(folder) = self.passing {
            // It lies among the system's passing files: what stays goes with those.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Opens what the arguments wish: a headless demo has a desk alone, unless it is asked for more.
pub(super) fn open(arguments: &DemoArgs, machine: &Machine, recipe: u64) -> Result<(Attendant, Side)> {
    let of = &arguments.operator;
    let wants_page = !of.no_page && (of.page.is_some() || !arguments.headless);
    let passing = (of.data.is_none() && wants_page).then(|| {
        let name = format!("pearlsort-demo-{}", std::process::id());
        std::env::temp_dir().join(name)
    });
    let data = of.data.clone().or_else(|| passing.clone());
    let kept = data.as_deref().map(keep).transpose()?;
    let desk = desk(arguments, machine, recipe, kept.as_ref());
    if kept.is_some() {
        desk.take_up_lot();
        desk.close_lot(WHO);
        desk.open_lot(lot(arguments), WHO);
    }
    let mut page = None;
    if let (true, Some(data)) = (wants_page, &data) {
        match operator::page(&desk, of, data) {
            Ok(server) => {
                operator::tell_page(&server);
                page = Some(server);
            }
            // The demo goes on without.
            Err(error) => warn!("{error}"),
        }
    }
    let attendant = Attendant::new(desk, Goal::KeepSorting);
    Ok((attendant, Side { kept, page, passing }))
}

fn keep(data: &Path) -> Result<Kept> {
    operator::keep(&Keeping {
        data,
        machine: "the virtual line",
    })
}

fn desk(arguments: &DemoArgs, machine: &Machine, recipe: u64, kept: Option<&Kept>) -> Desk {
    let line = &arguments.line;
    // The virtual line's one signal is its safety chain.
    let mut setup = Setup::new(&machine.plan, |_| Some(Use::SafetyChain));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the command line bounds it"
    )]
    let design = (f64::from(line.lanes) * line.rate) as u32;
    setup.design_pearls_s = Some(design);
    for (bin, (zh, en)) in setup.bins.iter_mut().zip(GRADES) {
        *bin = Text {
            zh: zh.to_owned(),
            en: en.to_owned(),
        };
    }
    let fixed = Fixed {
        name: Text {
            zh: "虚拟分选线".to_owned(),
            en: "virtual line".to_owned(),
        },
        plan: machine.plan.clone(),
        line: None,
        is_virtual: true,
        speed_um_s: Some(um_s(line.speed).into()),
        doubts: arguments.doubts.clone(),
        aim: Some(AIM),
    };
    let book = Book {
        path: PathBuf::new(),
        text: String::new(),
        recipe: None,
        hash: recipe,
    };
    Desk::new(setup, fixed, Some(book), kept.map(Kept::handle))
}

fn lot(arguments: &DemoArgs) -> LotForm {
    LotForm {
        number: format!("demo-{}", arguments.line.seed),
        farm: "虚拟珍珠场 virtual farm".to_owned(),
        operator: WHO.to_owned(),
        note: "opened by pearlsort demo".to_owned(),
        ..LotForm::default()
    }
}
