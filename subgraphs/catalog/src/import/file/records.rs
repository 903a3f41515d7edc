//! A file of goods as records: lines of CSV or JSON, in memory that does not grow with the file. A bad record is told with
//! its line, and the next one is read.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use super::cells::{self, Unreadable};
use super::{Code, Problem};

/// Bytes of a line at most; the rest of a longer one is skipped.
const LINE_MAX: usize = 256 * 1024;
/// Lines of one CSV record at most: a quote that is never closed does not swallow the file.
const RECORD_LINES_MAX: usize = 500;
const AFTER_QUOTE: &str = "has text after a closing quote: write a quote inside of quotes twice";
const UNCLOSED: &str = "has a quote that is never closed";
/// What an editor may put before UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header, then a record for each line; a comma, a semicolon or a tab between fields.
    Csv,
    /// A JSON object for each line.
    JsonLines,
}

/// The fields of one record, by the names of their columns.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Record {
    /// The line it begins at; the first is 1.
    pub line: u64,
    /// The number of the column, from 1; its name; the text. Blank fields are left out.
    pub cells: Vec<(u32, String, String)>,
}

/// Reads records from `input`.
pub struct Records<R> {
    input: R,
    format: Format,
    delimiter: u8,
    header: Vec<String>,
    /// The line that comes next.
    line: u64,
    /// Lines that were read too far.
    waiting: VecDeque<Line>,
}

#[derive(Clone, Debug)]
enum Line {
    Text(Vec<u8>),
    TooLong,
}

/// Why a file is not read at all.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("line {}: {}", .0.line, .0.message)]
    Header(Problem),
}

impl<R: BufRead> Records<R> {
    /// Reads the header, if the format has one; `known` says what is wrong with the name of a column.
    pub fn new(
        input: R,
        format: Format,
        known: impl Fn(&[String]) -> Result<(), (Option<usize>, String)>,
    ) -> Result<Self, BadFile> {
        let mut records =
            Self { input, format, delimiter: b',', header: vec![], line: 1, waiting: VecDeque::new() };
        records.skip_bom()?;
        if format == Format::Csv {
            records.read_header(known)?;
        }
        Ok(records)
    }

    /// The next record, or what is wrong with it. None: the file has ended.
    pub fn next(&mut self) -> io::Result<Option<Result<Record, Problem>>> {
        loop {
            let line = self.line;
            let text = match self.take_line()? {
                None => return Ok(None),
                Some(Line::TooLong) => return Ok(Some(Err(too_long(line)))),
                Some(Line::Text(text)) => text,
            };
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return Ok(Some(match self.format {
                Format::Csv => self.csv(line, text)?,
                Format::JsonLines => cells::of_json(line, &text),
            }));
        }
    }

    fn csv(&mut self, line: u64, first: Vec<u8>) -> io::Result<Result<Record, Problem>> {
        let fields = match self.fields(line, first)? {
            Ok(fields) => fields,
            Err(problem) => return Ok(Err(problem)),
        };
        if fields.len() != self.header.len() {
            let message = format!("has {} fields, the header has {}", fields.len(), self.header.len());
            return Ok(Err(Problem::of_line(line, Code::FieldCount, message)));
        }
        Ok(cells::of_csv(line, &self.header, fields))
    }

    /// The fields of the record that begins with `first`, which may go on in the lines after it.
    fn fields(&mut self, line: u64, first: Vec<u8>) -> io::Result<Result<Vec<Vec<u8>>, Problem>> {
        let (mut record, mut after) = (first, vec![]);
        let (column, message) = loop {
            match cells::split(&record, self.delimiter) {
                Ok(fields) => return Ok(Ok(fields)),
                Err(Unreadable::AfterQuote(column)) => break (column, AFTER_QUOTE),
                Err(Unreadable::Unclosed(column)) => {
                    let may_go_on = after.len() < RECORD_LINES_MAX && record.len() < LINE_MAX;
                    match if may_go_on { self.take_line()? } else { None } {
                        Some(Line::Text(more)) => {
                            record.push(b'\n');
                            record.extend_from_slice(&more);
                            after.push(Line::Text(more));
                        }
                        other => {
                            after.extend(other);
                            break (column, UNCLOSED);
                        }
                    }
                }
            }
        };
        // Only the line with the quote is bad: go on with the one after it.
        self.line = line + 1;
        after.into_iter().rev().for_each(|line| self.waiting.push_front(line));
        Ok(Err(Problem { column: Some(column), ..Problem::of_line(line, Code::Quote, message) }))
    }

    fn read_header(
        &mut self,
        known: impl Fn(&[String]) -> Result<(), (Option<usize>, String)>,
    ) -> Result<(), BadFile> {
        let bad = |column: Option<usize>, message: String| {
            let column = column.map(|index| index as u32 + 1);
            BadFile::Header(Problem { column, ..Problem::of_line(1, Code::Header, message) })
        };
        let text = match self.take_line()? {
            None => return Err(bad(None, "the file is empty".into())),
            Some(Line::TooLong) => return Err(BadFile::Header(too_long(1))),
            Some(Line::Text(text)) => text,
        };
        self.delimiter = cells::delimiter(&text);
        let fields = cells::split(&text, self.delimiter)
            .map_err(|_| bad(None, "the header has a stray quote".into()))?;
        let names =
            fields.into_iter().map(|name| String::from_utf8(name).map(|name| cells::column_name(&name)));
        let names: Vec<String> =
            names.collect::<Result<_, _>>().map_err(|_| bad(None, "the header is not UTF-8".into()))?;
        known(&names).map_err(|(column, message)| bad(column, message))?;
        self.header = names;
        Ok(())
    }

    fn skip_bom(&mut self) -> Result<(), BadFile> {
        let start = self.input.fill_buf()?;
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            let message = "the file is UTF-16: save it as UTF-8";
            return Err(BadFile::Header(Problem::of_line(1, Code::InvalidUtf8, message)));
        }
        if start.starts_with(BOM) {
            self.input.consume(BOM.len());
        }
        Ok(())
    }

    fn take_line(&mut self) -> io::Result<Option<Line>> {
        let line = match self.waiting.pop_front() {
            Some(line) => Some(line),
            None => self.read_line()?,
        };
        self.line += u64::from(line.is_some());
        Ok(line)
    }

    /// A line without its end, in bounded memory.
    fn read_line(&mut self) -> io::Result<Option<Line>> {
        let (mut text, mut length) = (vec![], 0_usize);
        loop {
            let some = self.input.fill_buf()?;
            if some.is_empty() && length == 0 {
                return Ok(None);
            }
            let end = some.iter().position(|byte| *byte == b'\n');
            let part = &some[..end.unwrap_or(some.len())];
            let ended = end.is_some() || some.is_empty();
            let consumed = part.len() + usize::from(end.is_some());
            length += consumed;
            if text.len() + part.len() <= LINE_MAX {
                text.extend_from_slice(part);
            }
            self.input.consume(consumed);
            if ended {
                break;
            }
        }
        if length > LINE_MAX + 1 {
            return Ok(Some(Line::TooLong));
        }
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        Ok(Some(Line::Text(text)))
    }
}

fn too_long(line: u64) -> Problem {
    Problem::of_line(line, Code::LineTooLong, format!("is longer than {LINE_MAX} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file is read as: `line: cells` or `line/column CODE`.
    fn check(format: Format, file: &[u8], expected: &str) {
        let mut records = match Records::new(file, format, |_| Ok(())) {
            Ok(records) => records,
            Err(bad) => return assert_eq!(bad.to_string(), expected),
        };
        let mut seen = vec![];
        while let Some(record) = records.next().unwrap() {
            seen.push(match record {
                Ok(record) => {
                    let cells = record.cells.iter().map(|(_, name, text)| format!("{name}={text}"));
                    format!("{}: {}", record.line, cells.collect::<Vec<_>>().join(" "))
                }
                Err(problem) => {
                    let column = problem.column.map(|column| format!("/{column}")).unwrap_or_default();
                    format!("{}{column} {:?}", problem.line, problem.code)
                }
            });
        }
        assert_eq!(seen.join("\n"), expected);
    }

    #[test]
    fn a_file_is_read_whatever_editor_wrote_it() {
        for file in [
            "title,price\nLamp,1\nShade,2",
            "\u{feff}Title,Price\r\nLamp,1\r\n\r\nShade,2\r\n",
            "title;price\nLamp;1\nShade;2\n\n",
            "\"title\"\tprice\n\"Lamp\"\t 1 \nShade\t\"2\"\n",
        ] {
            let blank = if file.contains("\r\n\r\n") { 4 } else { 3 };
            check(
                Format::Csv,
                file.as_bytes(),
                &format!("2: title=Lamp price=1\n{blank}: title=Shade price=2"),
            );
        }
        check(
            Format::Csv,
            b"title,text\nLamp,\"a \"\"b\"\"\nc, d\"\nShade,\n",
            "2: title=Lamp text=a \"b\"\nc, d\n4: title=Shade",
        );
        let json = b"\xef\xbb\xbf{\"title\":\"Lamp\",\"price\":1.5,\"new\":true,\"no\":null}\r\n\n{\"title\":\"Shade\"}";
        check(Format::JsonLines, json, "1: title=Lamp price=1.5 new=true\n3: title=Shade");
    }

    #[test]
    fn a_bad_record_is_told_and_the_next_one_is_read() {
        check(
            Format::Csv,
            b"title,price\nLamp\nShade,2,3\nRug,\"1\nVase,\xff\nBowl,\"4\"5\nCup,6\nHal",
            "2 FieldCount\n3 FieldCount\n4/2 Quote\n5/2 InvalidUtf8\n6/2 Quote\n7: title=Cup price=6\n8 FieldCount",
        );
        check(
            Format::JsonLines,
            b"{\"title\":\"Lamp\"\n[1]\n{\"title\":{\"a\":1}}\n\xff\n{\"title\":\"Cup\"}\n{\"title\":\"Cu",
            "1/15 Json\n2 Json\n3 Json\n4 InvalidUtf8\n5: title=Cup\n6/12 Json",
        );
    }

    #[test]
    fn a_line_without_an_end_is_skipped_and_not_kept() {
        let mut file = b"title\n".to_vec();
        file.extend(std::iter::repeat_n(b'x', 10 * LINE_MAX));
        file.extend(b"\nLamp\n\"");
        file.extend("y\n".repeat(2 * RECORD_LINES_MAX).bytes());
        let mut records = Records::new(file.as_slice(), Format::Csv, |_| Ok(())).unwrap();
        assert_eq!(records.next().unwrap().unwrap().unwrap_err().code, Code::LineTooLong);
        assert_eq!(records.next().unwrap().unwrap().unwrap().line, 3);
        let unclosed = records.next().unwrap().unwrap().unwrap_err();
        assert_eq!((unclosed.line, unclosed.code), (4, Code::Quote));
        assert_eq!(records.next().unwrap().unwrap().unwrap().line, 5);
    }

    #[test]
    fn a_file_that_is_no_table_is_not_read() {
        check(Format::Csv, b"", "line 1: the file is empty");
        check(Format::Csv, b"\xff\xfet\0i\0", "line 1: the file is UTF-16: save it as UTF-8");
        check(Format::Csv, b"ti\xfftle\nLamp", "line 1: the header is not UTF-8");
        check(Format::Csv, b"\"title\nLamp", "line 1: the header has a stray quote");
    }
}
