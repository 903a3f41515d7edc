//! What may come in: lengths, characters and sizes of lists. Everything wrong with an input is told at once.

/// Something wrong with one field of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the input: `["images", "2", "url"]`.
    pub field: Vec<String>,
    /// A lower-case fragment, safe to show.
    pub message: String,
}

/// Collects what is wrong with an input.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    within: Vec<String>,
    problems: Vec<Problem>,
}

impl Checks {
    /// Says that the fields of the next checks are inside of `path`, such as `images.2`.
    pub(crate) fn within(&mut self, path: &str) -> &mut Self {
        self.within = path.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        self
    }

    /// Notes `message` about `field`.
    pub(crate) fn wrong(&mut self, field: &str, message: impl Into<String>) {
        let mut path = self.within.clone();
        path.push(field.into());
        self.problems.push(Problem { field: path, message: message.into() });
    }

    /// Notes `message` unless `fine`.
    pub(crate) fn expect(&mut self, fine: bool, field: &str, message: impl Into<String>) {
        if !fine {
            self.wrong(field, message);
        }
    }

    /// [`contract::text::line`] of 1 to `length_max` characters.
    pub(crate) fn line(&mut self, field: &str, text: &str, length_max: usize) -> String {
        match contract::text::line(text, 1..=length_max) {
            Ok(line) => return line.to_owned(),
            Err(why) => self.wrong(field, why.to_string()),
        }
        String::new()
    }

    /// [`line`](Self::line), or nothing.
    pub(crate) fn line_or_none(
        &mut self,
        field: &str,
        text: Option<&str>,
        length_max: usize,
    ) -> Option<String> {
        text.map(|text| self.line(field, text, length_max))
    }

    /// [`contract::text::paragraphs`] of up to `length_max` characters.
    pub(crate) fn paragraphs(&mut self, field: &str, text: &str, length_max: usize) -> String {
        if let Err(why) = contract::text::paragraphs(text, length_max) {
            self.wrong(field, why.to_string());
        }
        text.to_owned()
    }

    /// A list of at most `items_max`; looks no further when it is longer.
    pub(crate) fn list<T>(&mut self, field: &str, items: Vec<T>, items_max: usize) -> Vec<T> {
        if items.len() > items_max {
            self.wrong(field, format!("must have at most {items_max} items"));
            return vec![];
        }
        items
    }

    /// Everything that was wrong, as an error.
    pub(crate) fn done(self) -> Result<(), Vec<Problem>> {
        match self.problems.is_empty() {
            true => Ok(()),
            false => Err(self.problems),
        }
    }
}
