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

    /// One line that says something: without spaces around it, 1 to `length_max` characters.
    pub(crate) fn line(&mut self, field: &str, text: &str, length_max: usize) -> String {
        let line = text.trim();
        let controls = line.chars().any(char::is_control);
        let length = line.chars().count();
        self.expect(!controls, field, "must not have control characters or line breaks");
        self.expect(
            (1..=length_max).contains(&length),
            field,
            format!("must have 1 to {length_max} characters"),
        );
        line.to_owned()
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

    /// Up to `length_max` characters; line breaks and tabs are the only control characters.
    pub(crate) fn paragraphs(&mut self, field: &str, text: &str, length_max: usize) -> String {
        let allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        self.expect(text.chars().all(allowed), field, "must not have control characters");
        self.expect(
            text.chars().count() <= length_max,
            field,
            format!("must have at most {length_max} characters"),
        );
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
