//! A machine whose cells stream samples, with the cells' files.

use std::path::{Path, PathBuf};

use config::{Line, Report, cell_path, load_line};

/// A machine's folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pearlsort-cells-{name}-{}", std::process::id()));
        for inner in ["cells", "recipes", "standards"] {
            std::fs::create_dir_all(path.join(inner)).expect("the folder can be made");
        }
        let folder = Self(path);
        for file in [
            "recipes/freshwater-jewellery.toml",
            "standards/gbt-18781-freshwater.toml",
        ] {
            let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../config").join(file);
            std::fs::copy(shipped, folder.0.join(file)).expect("it is shipped");
        }
        folder
    }

    fn cell(&self, lane: usize, text: &str) {
        std::fs::write(cell_path(&self.0.join("cells"), lane), text).expect("the file can be written");
    }

    /// The shipped machine, but with cells that stream; `change` has the last word on its text.
    fn line(&self, change: impl Fn(String) -> String) -> Result<Line, Report> {
        let shipped = include_str!("../../../../config/line.toml");
        let text = shipped
            .replace("source = \"mass\" ", "source = \"samples\"\nmodels = \"cells\" ")
            .replace("result-ms = 10 ", "result-ms = 23 ");
        let path = self.0.join("line.toml");
        std::fs::write(&path, change(text)).expect("the file can be written");
        load_line(&path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const CELL: &str = include_str!("cells/lane-00.toml");

#[test]
fn each_lane_has_the_model_of_its_own_file() {
    let folder = Folder::new("own");
    folder.cell(0, CELL);
    folder.cell(3, &CELL.replace("natural-hz = 95.0", "natural-hz = 88.5"));
    let line = folder.line(|text| text).unwrap_or_else(|report| panic!("{report}"));
    let natural = |lane: usize| line.cells[lane].map(|cell| cell.model.platform.natural_hz);
    assert_eq!([natural(0), natural(1), natural(3)], [Some(95.0), None, Some(88.5)]);
    let report = config::check_file(&folder.0.join("line.toml"));
    let missing = |lane: usize| {
        let name = format!("lane-{lane:02}.toml is not there");
        report.faults.iter().any(|fault| fault.message.contains(&name))
    };
    assert!(
        missing(1) && missing(2) && !missing(0) && !report.has_errors(),
        "{report}"
    );
}

#[test]
fn a_faulty_cell_is_a_fault_of_the_machine_that_names_it() {
    let folder = Folder::new("faulty");
    folder.cell(0, &CELL.replace("natural-hz = 95.0", "natural-hz = 9500.0"));
    let report = folder.line(|text| text).expect_err("the cell can't be weighed by");
    assert!(report.to_string().contains("lane-00.toml"), "{report}");
}

#[test]
fn a_rate_or_a_time_that_does_not_fit_the_cells_is_refused() {
    let folder = Folder::new("fit");
    folder.cell(0, CELL);
    for (from, to, key) in [
        ("samples-per-s = 4800", "samples-per-s = 4000", "weigh.samples-per-s"),
        ("result-ms = 23 ", "result-ms = 15 ", "weigh.result-ms"),
        ("baud = 3000000", "baud = 1000000", "board[1].baud"),
    ] {
        let report = folder
            .line(|text| {
                assert!(text.contains(from), "{from}");
                text.replace(from, to)
            })
            .expect_err("it does not fit");
        assert!(report.faults.iter().any(|fault| fault.key == key), "{key}: {report}");
    }
}
