//! The rows of one table as chunks of COPY data, the same whichever loader takes which chunk.
//!
//! Each column of each chunk has a random stream of its own, so rows depend on neither the number
//! of loaders nor the other columns. Nothing here connects.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::pg::{quote_ident, quote_qualified};
use crate::scenario::Table;
use crate::scenario::generate::{Drawer, Drawn, Rng, Written, stream};

use super::encode::{BINARY_HEADER, BINARY_TRAILER, Codec, drawn_text, put_copy_text};
use super::{Error, Plan};

/// Rows per chunk. Part of what an `rng_seed` determines.
const CHUNK_ROWS: u64 = 10_000;
/// A buffer is handed on when it has this many bytes. 64 KiB and 1 MiB were measured and are
/// as fast.
const BUFFER_BYTES: usize = 256 << 10;
/// Characters of a value that an error shows.
const SHOWN_CHARACTERS: usize = 60;

/// A column of the table as the server has it.
#[derive(Clone, Debug)]
pub struct ColumnType {
    /// The column's name.
    pub name: String,
    /// As the server tells it: `character varying(64)`.
    pub type_name: String,
    /// The type's oid, a domain's base type's.
    pub type_oid: u32,
    /// Whether the type is an enum, whose binary form is its label.
    pub is_enum: bool,
}

/// A table's rows, ready to be made.
#[derive(Debug)]
pub struct TableRows {
    table: String,
    rows: u64,
    rng_seed: u64,
    binary: bool,
    columns: Vec<Filled>,
}

#[derive(Debug)]
struct Filled {
    name: String,
    type_name: String,
    /// None only when the table's rows go as text.
    codec: Option<Codec>,
    drawer: Drawer,
}

impl TableRows {
    /// `types` are the columns that the server has.
    ///
    /// # Errors
    /// The table lacks a column of the scenario's.
    pub fn new(plan: &Plan, table: &Table, types: &[ColumnType]) -> Result<TableRows, Error> {
        let (tables, rng_seed) = (&plan.scenario.tables, plan.scenario.rng_seed);
        let mut columns = Vec::new();
        for column in &table.columns {
            let Some(found) = types.iter().find(|t| t.name == column.name) else {
                let known: Vec<&str> = types.iter().map(|t| t.name.as_str()).collect();
                return Err(Error::NoColumn {
                    table: table.name.clone(),
                    column: column.name.clone(),
                    known: known.join(", "),
                });
            };
            columns.push(Filled {
                name: column.name.clone(),
                type_name: found.type_name.clone(),
                codec: Codec::of(found.type_oid, found.is_enum),
                drawer: Drawer::for_column(tables, &plan.sizes, rng_seed, &table.name, column),
            });
        }
        let binary = columns.iter().all(Filled::is_binary);
        let (table, rows) = (table.name.clone(), plan.sizes.rows(&table.name));
        Ok(TableRows { table, rows, rng_seed, binary, columns })
    }

    /// The table's name, as the scenario has it.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Rows that are made.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Chunks that the rows are made in, each independent of the others.
    pub fn chunks(&self) -> u64 {
        self.rows.div_ceil(CHUNK_ROWS)
    }

    /// The statement whose data a chunk is.
    pub fn copy_sql(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|c| quote_ident(&c.name)).collect();
        let format = if self.binary { "binary" } else { "text" };
        let (table, columns) = (quote_qualified(&self.table), columns.join(", "));
        format!("COPY {table} ({columns}) FROM STDIN (FORMAT {format})")
    }

    /// With no column to fill there is nothing to COPY: every value is its column's default.
    pub fn defaults_sql(&self) -> Option<String> {
        let table = quote_qualified(&self.table);
        let rows = self.rows;
        self.columns
            .is_empty()
            .then(|| format!("INSERT INTO {table} SELECT FROM generate_series(1, {rows})"))
    }

    /// Rows that were made one by one, as the data of a COPY of their own.
    pub(super) fn framed(&self, rows: &[Bytes]) -> Bytes {
        let mut out = BytesMut::with_capacity(rows.iter().map(Bytes::len).sum::<usize>() + 32);
        if self.binary {
            out.put_slice(BINARY_HEADER);
        }
        rows.iter().for_each(|row| out.put_slice(row));
        if self.binary {
            out.put_slice(BINARY_TRAILER);
        }
        out.freeze()
    }

    /// The rows of a chunk, from its first one.
    pub fn chunk(&self, number: u64) -> Chunk<'_> {
        let first = number * CHUNK_ROWS;
        let purpose = |column: &Filled| format!("column {}.{}", self.table, column.name);
        let streams =
            self.columns.iter().map(|c| stream(self.rng_seed, &purpose(c), number)).collect();
        Chunk {
            rows: self,
            streams,
            first,
            next: first,
            end: (first + CHUNK_ROWS).min(self.rows),
            text: String::new(),
        }
    }
}

impl Filled {
    /// Whether every value has a binary form here. A text that only the server can read, an
    /// `infinity` or a time in a form of its own, makes the table go as text.
    fn is_binary(&self) -> bool {
        let Some(codec) = self.codec else { return false };
        let fits = |value: &Option<String>| {
            let value = value.as_deref().map_or(Drawn::Null, Drawn::Text);
            codec.put(value, &mut BytesMut::new()).is_some()
        };
        match self.drawer.written() {
            Written::No => true,
            Written::Among(values) => values.iter().all(fits),
            Written::Freely => matches!(codec, Codec::Text | Codec::Jsonb),
        }
    }
}

/// A chunk that is being made.
pub struct Chunk<'a> {
    rows: &'a TableRows,
    streams: Vec<Rng>,
    first: u64,
    next: u64,
    end: u64,
    text: String,
}

impl Chunk<'_> {
    /// Appends rows until a buffer's worth is there or the chunk ends; says how many. The first
    /// and the last call frame the data as its format wants it. 0 rows: the chunk is done.
    ///
    /// # Errors
    /// A value does not fit its column's type.
    pub fn fill(&mut self, out: &mut BytesMut) -> Result<u64, Error> {
        let began = self.next;
        if began == self.end {
            return Ok(0);
        }
        out.reserve(BUFFER_BYTES + (BUFFER_BYTES >> 3));
        if self.rows.binary && began == self.first {
            out.put_slice(BINARY_HEADER);
        }
        while self.next < self.end && out.len() < BUFFER_BYTES {
            match self.rows.binary {
                true => self.put_binary_row(out)?,
                false => self.put_text_row(out),
            }
            self.next += 1;
        }
        if self.rows.binary && self.next == self.end {
            out.put_slice(BINARY_TRAILER);
        }
        Ok(self.next - began)
    }

    /// Whether every row was made.
    pub(super) fn is_done(&self) -> bool {
        self.next == self.end
    }

    /// Appends the next row, without what frames the data; [`TableRows::framed`] puts that around.
    ///
    /// # Errors
    /// A value does not fit its column's type; the row is passed over.
    pub(super) fn put_row(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        let put = match self.rows.binary {
            true => self.put_binary_row(out),
            false => {
                self.put_text_row(out);
                Ok(())
            }
        };
        self.next += 1;
        put
    }

    fn put_binary_row(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        out.put_i16(self.rows.columns.len() as i16);
        for (column, stream) in self.rows.columns.iter().zip(&mut self.streams) {
            let value = column.drawer.draw_into(stream, self.next, &mut self.text);
            let put = column.codec.and_then(|codec| codec.put(value, out));
            if put.is_none() {
                return Err(Error::Value {
                    table: self.rows.table.clone(),
                    column: column.name.clone(),
                    type_name: column.type_name.clone(),
                    value: drawn_text(value).chars().take(SHOWN_CHARACTERS).collect(),
                });
            }
        }
        Ok(())
    }

    fn put_text_row(&mut self, out: &mut BytesMut) {
        for (index, (column, stream)) in self.rows.columns.iter().zip(&mut self.streams).enumerate()
        {
            if index > 0 {
                out.put_u8(b'\t');
            }
            put_copy_text(column.drawer.draw_into(stream, self.next, &mut self.text), out);
        }
        out.put_u8(b'\n');
    }
}
