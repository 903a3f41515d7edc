//! The fields of one record.

use serde_json::Value;

use super::records::Record;
use super::{Code, Problem};

/// What may stand between fields.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Why a record has no fields; with the number of the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Unclosed(u32),
    AfterQuote(u32),
}

/// The delimiter of which a header has most.
pub(super) fn delimiter(header: &[u8]) -> u8 {
    let count = |delimiter: &u8| header.iter().filter(|byte| *byte == delimiter).count();
    // The last of equals would win: a header without any is one of commas.
    DELIMITERS.into_iter().rev().max_by_key(count).unwrap_or(b',')
}

/// The name of a column: `Very Good` is `very_good`.
pub(super) fn column_name(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The fields of a CSV record. A quote counts at the start of a field only.
pub(super) fn split(record: &[u8], delimiter: u8) -> Result<Vec<Vec<u8>>, Unreadable> {
    let (mut fields, mut rest) = (vec![], record);
    loop {
        let column = fields.len() as u32 + 1;
        let (field, after) = match rest.strip_prefix(b"\"") {
            Some(quoted) => unquote(quoted, column)?,
            None => {
                let end = rest.iter().position(|byte| *byte == delimiter).unwrap_or(rest.len());
                (rest[..end].to_vec(), &rest[end..])
            }
        };
        fields.push(field);
        match after.split_first() {
            None => return Ok(fields),
            Some((byte, more)) if *byte == delimiter => rest = more,
            Some(_) => return Err(Unreadable::AfterQuote(column)),
        }
    }
}

fn unquote(quoted: &[u8], column: u32) -> Result<(Vec<u8>, &[u8]), Unreadable> {
    let (mut field, mut rest) = (vec![], quoted);
    loop {
        let end = rest.iter().position(|byte| *byte == b'"').ok_or(Unreadable::Unclosed(column))?;
        field.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(b"\"") {
            Some(more) => {
                field.push(b'"');
                rest = more;
            }
            None => return Ok((field, rest)),
        }
    }
}

pub(super) fn of_csv(line: u64, header: &[String], fields: Vec<Vec<u8>>) -> Result<Record, Problem> {
    let mut cells = vec![];
    for (column, (name, field)) in (1..).zip(header.iter().zip(fields)) {
        let text = String::from_utf8(field).map_err(|_| not_utf8(line, Some(column)))?;
        if !text.trim().is_empty() {
            cells.push((column, name.clone(), text.trim().to_owned()));
        }
    }
    Ok(Record { line, cells })
}

fn not_utf8(line: u64, column: Option<u32>) -> Problem {
    Problem { column, ..Problem::of_line(line, Code::InvalidUtf8, "is not UTF-8: save the file as UTF-8") }
}

/// The fields of a JSON object: texts, numbers, booleans, or lists of texts, which are joined with spaces.
pub(super) fn of_json(line: u64, text: &[u8]) -> Result<Record, Problem> {
    let text = std::str::from_utf8(text).map_err(|_| not_utf8(line, None))?;
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = format!("is no JSON: {}", plain(&error));
        Problem { column: Some(error.column() as u32), ..Problem::of_line(line, Code::Json, message) }
    })?;
    let Value::Object(fields) = value else {
        return Err(Problem::of_line(line, Code::Json, "must be a JSON object"));
    };
    let mut cells = vec![];
    for (column, (name, value)) in (1..).zip(fields) {
        let text = shown(&value).ok_or_else(|| {
            let message = "must be a text, a number, a boolean or a list of texts";
            Problem { field: Some(name.clone()), ..Problem::of_line(line, Code::Json, message) }
        })?;
        if !text.trim().is_empty() {
            cells.push((column, column_name(&name), text.trim().to_owned()));
        }
    }
    Ok(Record { line, cells })
}

/// The error without its place, which is told apart.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(answer) => Some(answer.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(texts) => {
            let texts: Option<Vec<&str>> = texts.iter().map(Value::as_str).collect();
            texts.map(|texts| texts.join(" "))
        }
        Value::Object(_) => None,
    }
}
