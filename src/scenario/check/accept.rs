//! Checks what a change is said to do on purpose.

use super::super::problem::Source;
use super::super::{Accepted, Meant, wire};
use super::Checker;

impl Checker<'_> {
    pub(super) fn meant(&mut self) -> Vec<Meant> {
        let (source, file) = self.files.main;
        let Some(section) = &file.accept else { return Vec::new() };
        section.get_ref().iter().map(|one| self.one_meant(source, section, one)).collect()
    }

    fn one_meant(
        &mut self,
        source: &Source,
        section: &toml::Spanned<Vec<wire::Accept>>,
        given: &wire::Accept,
    ) -> Meant {
        let wire::Accept { rows, values, difference, no_rows } = given;
        let set = [rows.is_some(), values.is_some(), difference.is_some(), no_rows.is_some()];
        if set.iter().filter(|set| **set).count() != 1 {
            let message = "an `[[accept]]` is about one thing";
            let remedy = "right would be `rows`, `values`, `difference` or `no_rows`";
            self.push_with(source, section, message, remedy);
        }
        let text =
            |text: &Option<toml::Spanned<String>>| text.as_ref().map(|t| t.get_ref().clone());
        Meant {
            rows: text(rows),
            values: text(values),
            difference: difference.as_ref().and_then(|text| {
                let accepted = Accepted::parse(text.get_ref());
                if accepted.is_none() {
                    let message = format!("`{}` names no difference", text.get_ref());
                    let remedy = "right would be KIND NAME or KIND NAME: PROPERTY, as in `table \
                                  public.orders: owner`";
                    self.push_with(source, text, message, remedy);
                }
                accepted
            }),
            no_rows: no_rows.as_ref().is_some_and(|no_rows| *no_rows.get_ref()),
        }
    }
}
