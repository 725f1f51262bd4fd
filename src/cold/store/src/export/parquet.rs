//! The Parquet file: row groups of [`GROUP`] records, gathered column by column. Any thread that may wait.

use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::{ConvertedType, Repetition, Type as Physical};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::{Type, TypePtr};

use super::ExportError;
use super::columns::{COLUMNS, Column, Kind, Value};
use crate::reader::{Reader, StoredRecord};

/// Records of a row group.
const GROUP: usize = 65_536;

/// The fields of one column that wait for the group's end: values, and for each record whether it has one.
struct Gathered {
    column: &'static Column,
    present: Vec<i16>,
    ints: Vec<i32>,
    longs: Vec<i64>,
    texts: Vec<ByteArray>,
}

pub(super) fn write(reader: &Reader, lot: u32, out: &mut (impl Write + Send)) -> Result<u64, ExportError> {
    let properties = WriterProperties::builder()
        .set_created_by(format!("pearlsort {}", env!("CARGO_PKG_VERSION")))
        .build();
    let mut writer = SerializedFileWriter::new(out, schema()?, Arc::new(properties))?;
    let mut gathered: Vec<Gathered> = COLUMNS.iter().map(Gathered::new).collect();
    let mut records = 0_u64;
    reader.each_record(lot, |record| {
        gathered.iter_mut().for_each(|column| column.add(record));
        records += 1;
        if records.is_multiple_of(GROUP as u64) {
            write_group(&mut writer, &mut gathered)?;
        }
        Ok::<(), ExportError>(())
    })?;
    if !records.is_multiple_of(GROUP as u64) {
        write_group(&mut writer, &mut gathered)?;
    }
    writer.close()?;
    Ok(records)
}

fn schema() -> Result<TypePtr, ParquetError> {
    let fields = COLUMNS.iter().map(|column| {
        let (physical, converted) = match column.kind {
            Kind::Int => (Physical::INT32, ConvertedType::NONE),
            Kind::Long => (Physical::INT64, ConvertedType::NONE),
            Kind::Time => (Physical::INT64, ConvertedType::TIMESTAMP_MICROS),
            Kind::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
        };
        Type::primitive_type_builder(column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_converted_type(converted)
            .build()
            .map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("record")
        .with_fields(fields)
        .build()
        .map(Arc::new)
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    gathered: &mut [Gathered],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in gathered {
        let Some(mut into) = group.next_column()? else {
            return Err(ParquetError::General(
                "the file has fewer columns than it was made with".to_owned(),
            ));
        };
        column.write(into.untyped())?;
        into.close()?;
        column.clear();
    }
    group.close()?;
    Ok(())
}

impl Gathered {
    const fn new(column: &'static Column) -> Self {
        Self {
            column,
            present: Vec::new(),
            ints: Vec::new(),
            longs: Vec::new(),
            texts: Vec::new(),
        }
    }

    fn add(&mut self, record: &StoredRecord) {
        let value = (self.column.of)(record);
        self.present.push(i16::from(value != Value::Nothing));
        match (value, self.column.kind) {
            (Value::Nothing, _) => {}
            (Value::Number(number), Kind::Int) => {
                // Columns of this kind are made of numbers of 32 bits or fewer.
                self.ints.push(i32::try_from(number).unwrap_or_default());
            }
            (Value::Number(number), _) => self.longs.push(number),
            (Value::Text(text), _) => self.texts.push(ByteArray::from(text.into_bytes())),
        }
    }

    fn write(&self, into: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let present = Some(self.present.as_slice());
        match into {
            ColumnWriter::Int32ColumnWriter(into) => into.write_batch(&self.ints, present, None)?,
            ColumnWriter::Int64ColumnWriter(into) => into.write_batch(&self.longs, present, None)?,
            ColumnWriter::ByteArrayColumnWriter(into) => into.write_batch(&self.texts, present, None)?,
            _ => {
                return Err(ParquetError::General(
                    "a column of a kind that exports don't have".to_owned(),
                ));
            }
        };
        Ok(())
    }

    fn clear(&mut self) {
        self.present.clear();
        self.ints.clear();
        self.longs.clear();
        self.texts.clear();
    }
}
