//! Exports: both forms have the same records, with nothing where nothing is known.

mod support;

use std::io::Read;

use line::Cause;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use store::export::{ExportError, Form, to_temporary, write};
use store::{Classes, Reader, Writer};
use support::{Folder, binned, form, options, recirculated};

/// A store with a lot of three records, the second without a view.
fn made(folder: &Folder) -> (Reader, u32) {
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    let lot = handle.open_lot(form("A"), 1, "li").unwrap().lot;
    handle.record(&binned(1, lot, 5), Some(Classes::new([("shape", "A,1")])));
    let mut unseen = recirculated(2, lot, Cause::NoMeasurement);
    unseen.view = None;
    unseen.mass = None;
    handle.record(&unseen, None);
    handle.record(&binned(3, lot, 6), None);
    handle.record(&binned(4, 0, 6), None);
    writer.end();
    (Reader::open(&folder.store()).unwrap(), lot)
}

#[test]
fn csv_has_a_line_a_record_and_empty_fields_where_nothing_is_known() {
    let folder = Folder::new();
    let (reader, lot) = made(&folder);
    let mut bytes = Vec::new();
    assert_eq!(write(&reader, lot, Form::Csv, &mut bytes).unwrap(), 3);
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 4);
    let names: Vec<&str> = lines[0].split(',').collect();
    let field = |line: usize, name: &str| {
        let at = names.iter().position(|of| *of == name).unwrap();
        lines[line].split(',').nth(at).unwrap()
    };
    assert_eq!(
        (field(2, "outcome"), field(2, "cause")),
        ("recirculated", "no_measurement")
    );
    assert_eq!(
        (field(2, "d_max_um"), field(2, "mass_ug"), field(2, "bin")),
        ("", "", "")
    );
    assert_eq!(
        (field(3, "d_max_um"), field(3, "mass_ug"), field(3, "bin")),
        ("7100", "400003", "6")
    );
    assert_eq!(
        (field(3, "lab_a_centi"), field(3, "recipe")),
        ("-120", "feed000000000001")
    );
    assert!(field(3, "time").ends_with('Z') && field(3, "time").len() == 27);
    assert!(lines[1].contains("\"shape=A,1\""));
}

#[test]
fn parquet_has_the_same_records() {
    let folder = Folder::new();
    let (reader, lot) = made(&folder);
    let file = to_temporary(&reader, lot, Form::Parquet).unwrap();
    let parquet = SerializedFileReader::new(file).unwrap();
    let schema = parquet.metadata().file_metadata().schema();
    let names: Vec<&str> = schema.get_fields().iter().map(|field| field.name()).collect();
    let at = |name: &str| names.iter().position(|of| *of == name).unwrap();
    let rows: Vec<_> = parquet.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].get_string(at("classes")).unwrap(), "shape=A,1");
    assert_eq!(rows[1].get_string(at("cause")).unwrap(), "no_measurement");
    assert!(rows[1].get_int(at("d_max_um")).is_err(), "null");
    assert_eq!(rows[2].get_int(at("d_max_um")).unwrap(), 7_100);
    assert_eq!(rows[2].get_int(at("lab_a_centi")).unwrap(), -120);
    assert_eq!(rows[2].get_long(at("pearl")).unwrap(), 3);
    assert!(rows[2].get_timestamp_micros(at("time")).unwrap() > 0);

    let mut csv = String::new();
    to_temporary(&reader, lot, Form::Csv)
        .unwrap()
        .read_to_string(&mut csv)
        .unwrap();
    assert_eq!(csv.lines().next().unwrap().split(',').collect::<Vec<_>>(), names);
}

#[test]
fn an_export_of_more_than_one_row_group_has_every_record() {
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    let lot = handle.open_lot(form("A"), 1, "li").unwrap().lot;
    const RECORDS: u64 = 65_536 + 40;
    for pearl in 1..=RECORDS {
        if pearl % 10_000 == 0 {
            handle.flush().unwrap();
        }
        handle.record(&binned(pearl, lot, 1), None);
    }
    writer.end();
    let reader = Reader::open(&folder.store()).unwrap();
    let parquet = SerializedFileReader::new(to_temporary(&reader, lot, Form::Parquet).unwrap()).unwrap();
    let metadata = parquet.metadata();
    assert_eq!(metadata.num_row_groups(), 2);
    assert_eq!(metadata.file_metadata().num_rows(), RECORDS as i64);
}

#[test]
fn a_lot_that_is_not_there_and_a_full_disk_are_told() {
    /// Takes a little and no more.
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = Folder::new();
    let (reader, lot) = made(&folder);
    assert!(matches!(
        write(&reader, lot + 1, Form::Csv, &mut Vec::new()),
        Err(ExportError::NoSuchLot { .. })
    ));
    assert!(matches!(
        write(&reader, lot, Form::Csv, &mut Full(100)),
        Err(ExportError::Write(_))
    ));
    let error = write(&reader, lot, Form::Parquet, &mut Full(100)).unwrap_err();
    assert!(
        matches!(error, ExportError::Parquet(_) | ExportError::Write(_)),
        "{error:?}"
    );
}
