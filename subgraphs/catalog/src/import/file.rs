//! Files of goods: CSV or JSON Lines, a row for each variant and for what a seller offers of it. One code for the command
//! line and for jobs: rows are read, understood and applied in batches, each batch with the job's progress in one
//! transaction, so that a kill at any point costs nothing and doubles nothing.

mod apply;
mod batches;
mod cells;
pub mod job;
mod known;
mod records;
mod row;
mod worker;

use serde::{Deserialize, Serialize};

pub use batches::{Batch, Batches};
pub use job::Job;
pub use records::{BadFile, Format, Record};
pub(crate) use worker::run as work;

/// Rows that are applied in one transaction.
pub const BATCH: usize = 500;

/// What is wrong with a row, to switch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// The header lacks a column, or has one that nobody knows, or one twice.
    Header,
    LineTooLong,
    InvalidUtf8,
    /// A quote is never closed, or text follows a closed one.
    Quote,
    /// A row has more or fewer fields than the header.
    FieldCount,
    Json,
    /// A field is missing, or not as it must be.
    InvalidValue,
    /// The file has this variant, or this offer of it, in an earlier line.
    Duplicate,
    /// The catalog has something else with this number, handle or SKU.
    Taken,
    /// The catalog has products with nearly this title and brand.
    LooksLike,
    /// The shop may not sell now.
    SellerNotVerified,
}

impl Code {
    /// Its name, as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Header => "HEADER",
            Self::LineTooLong => "LINE_TOO_LONG",
            Self::InvalidUtf8 => "INVALID_UTF8",
            Self::Quote => "QUOTE",
            Self::FieldCount => "FIELD_COUNT",
            Self::Json => "JSON",
            Self::InvalidValue => "INVALID_VALUE",
            Self::Duplicate => "DUPLICATE",
            Self::Taken => "TAKEN",
            Self::LooksLike => "LOOKS_LIKE",
            Self::SellerNotVerified => "SELLER_NOT_VERIFIED",
        }
    }

    /// The code of a name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    const ALL: [Self; 11] = [
        Self::Header,
        Self::LineTooLong,
        Self::InvalidUtf8,
        Self::Quote,
        Self::FieldCount,
        Self::Json,
        Self::InvalidValue,
        Self::Duplicate,
        Self::Taken,
        Self::LooksLike,
        Self::SellerNotVerified,
    ];
}

/// What is wrong with a row, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// From 1.
    pub line: u64,
    /// The number of the field in its row, from 1; for JSON that cannot be read, the character of the line.
    pub column: Option<u32>,
    /// The name of the column.
    pub field: Option<String>,
    pub code: Code,
    /// A lower-case fragment, safe to show.
    pub message: String,
}

impl Problem {
    pub(crate) fn of_line(line: u64, code: Code, message: impl Into<String>) -> Self {
        Self { line, column: None, field: None, code, message: message.into() }
    }
}
